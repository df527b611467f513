// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"bytes"
	"encoding/json"
	"strings"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// maxReport is the size to which the kubelet cuts a termination message, in
// bytes.
const maxReport = 4096

// Records reads a container's termination message as records in the source's
// flat shape: one, an array of them, or one in each line. ok is false where the
// message is anything else, and then it is a text for people. A last line that
// the kubelet has cut off becomes the message of a record of its own.
func Records(message string) (records []resolvev1.Record, ok bool) {
	text := strings.TrimSpace(message)
	if strings.HasPrefix(text, "[") {
		var items []json.RawMessage
		if json.Unmarshal([]byte(text), &items) != nil || len(items) == 0 {
			return nil, false
		}
		for _, item := range items {
			r, ok := record(item)
			if !ok {
				return nil, false
			}
			records = append(records, r)
		}
		return records, true
	}
	if r, ok := record([]byte(text)); ok {
		return []resolvev1.Record{r}, true
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		r, ok := record([]byte(line))
		switch {
		case ok:
			records = append(records, r)
		case i == len(lines)-1 && len(records) > 0 && len(message) >= maxReport:
			records = append(records, resolvev1.Record{Message: line + " … (cut off: a termination message has at most 4096 bytes)"})
		default:
			return nil, false
		}
	}
	return records, len(records) > 0
}

// record reads one record: an object with at least one field of an error's
// content, each of its type. Whatever else is JSON is not meant as one.
func record(data []byte) (resolvev1.Record, bool) {
	var r resolvev1.Record
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' || json.Unmarshal(data, &r) != nil {
		return r, false
	}
	content := r
	content.ID, content.UserID, content.JobID, content.RetryID, content.CreatedAt, content.Resolved = "", "", "", "", "", false
	return r, content != resolvev1.Record{}
}
