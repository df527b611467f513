// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// cutOff is what a record says of itself that the kubelet has cut off.
const cutOff = " … (cut off: a termination message has at most 4096 bytes, and those of a pod 12288 together)"

// reader reads one record.
type reader func(data []byte) (resolvev1.Record, bool)

// Records reads a container's termination message as records in the source's
// flat shape: one, an array of them, or one in each line. ok is false where the
// message is anything else, and then it is a text for people. A last record that
// the kubelet has cut off becomes the message of a record of its own.
//
// In what may be the end of a log, a record has known fields alone: a line of a
// log that is in JSON has a message, too.
func Records(message string, mayBeLog bool) (records []resolvev1.Record, ok bool) {
	var read reader = recordAmongOthers
	if mayBeLog {
		read = recordAlone
	}
	text := strings.TrimSpace(message)
	if strings.HasPrefix(text, "[") {
		return ofArray(text, read)
	}
	if r, ok := read([]byte(text)); ok {
		return []resolvev1.Record{r}, true
	}
	return ofLines(text, read)
}

// ofArray reads an array of records, as far as it is there.
func ofArray(text string, read reader) (records []resolvev1.Record, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	_, err := decoder.Token()
	for err == nil && decoder.More() {
		var item json.RawMessage
		if err = decoder.Decode(&item); err != nil {
			break
		}
		r, ok := read(item)
		if !ok {
			return nil, false
		}
		records = append(records, r)
	}
	if err == nil {
		_, err = decoder.Token()
	}
	rest := text[decoder.InputOffset():]
	if len(records) == 0 || err == nil && rest != "" || err != nil && !ended(err) {
		return nil, false
	}
	if rest = strings.TrimLeft(rest, ", \t\r\n"); rest != "" {
		records = append(records, resolvev1.Record{Message: rest + cutOff})
	}
	return records, true
}

// ofLines reads a record from each line.
func ofLines(text string, read reader) (records []resolvev1.Record, ok bool) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		r, ok := read([]byte(line))
		switch {
		case ok:
			records = append(records, r)
		case i == len(lines)-1 && len(records) > 0 && begins(line):
			records = append(records, resolvev1.Record{Message: line + cutOff})
		default:
			return nil, false
		}
	}
	return records, len(records) > 0
}

// begins tells whether a line is the beginning of an object, and no more.
func begins(line string) bool {
	return strings.HasPrefix(line, "{") && ended(json.NewDecoder(strings.NewReader(line)).Decode(&json.RawMessage{}))
}

// ended tells whether a text was right until it ended.
func ended(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

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
