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
//
// In what may be the end of a log, a record has known fields alone: a line of a
// log that is in JSON has a message, too.
func Records(message string, mayBeLog bool) (records []resolvev1.Record, ok bool) {
	record := recordAmongOthers
	if mayBeLog {
		record = recordAlone
	}
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

// recordAlone reads one record that has no other fields than a record's.
func recordAlone(data []byte) (resolvev1.Record, bool) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&resolvev1.Record{}) != nil {
		return resolvev1.Record{}, false
	}
	return recordAmongOthers(data)
}

// recordAmongOthers reads one record: an object with at least one field of an
// error's content, each of its type. Whatever else is JSON is not meant as one.
func recordAmongOthers(data []byte) (resolvev1.Record, bool) {
	var r resolvev1.Record
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' || json.Unmarshal(data, &r) != nil {
		return r, false
	}
	return r, Content(r) != resolvev1.Record{}
}

// Content is what a record says of its error, without what says which one it
// is, whose and when.
func Content(r resolvev1.Record) resolvev1.Record {
	r.ID, r.UserID, r.JobID, r.RetryID, r.CreatedAt, r.Resolved = "", "", "", "", "", false
	return r
}

// RecordKey tells the records of a Job apart: by the id that the Job gives, and
// otherwise by their content.
func RecordKey(r resolvev1.Record) string {
	if r.ID != "" {
		return "record/" + r.ID
	}
	c := Content(r)
	return "record//" + digest(c.Code, c.Extract, c.Generate, c.Extracted, c.Generated, c.Message, c.Source)
}
