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

// cutOff is the end of the message of a record that the kubelet has truncated.
const cutOff = " … (cut off: a termination message has at most 4096 bytes, and those of a pod 12288 together)"

// parseFunc parses one record.
type parseFunc func(data []byte) (resolvev1.Record, bool)

// Records parses a container's termination message as records in the source's flat shape:
// one, an array of them, or one in each line. ok is false if the message is anything
// else: then it is text for people. A last record that the kubelet has truncated becomes
// the message of a separate record.
//
// If the message may be the end of a log, its records have no unknown fields: a line of a
// log in JSON has a message, too.
func Records(message string, mayBeLog bool) (records []resolvev1.Record, ok bool) {
	var parse parseFunc = parseRecord
	if mayBeLog {
		parse = parseStrictRecord
	}
	text := strings.TrimSpace(message)
	if strings.HasPrefix(text, "[") {
		return parseArray(text, parse)
	}
	if r, ok := parse([]byte(text)); ok {
		return []resolvev1.Record{r}, true
	}
	return parseLines(text, parse)
}

// parseArray parses an array of records, up to the end of the text.
func parseArray(text string, parse parseFunc) (records []resolvev1.Record, ok bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	_, err := decoder.Token()
	for err == nil && decoder.More() {
		var item json.RawMessage
		if err = decoder.Decode(&item); err != nil {
			break
		}
		r, ok := parse(item)
		if !ok {
			return nil, false
		}
		records = append(records, r)
	}
	if err == nil {
		_, err = decoder.Token()
	}
	rest := text[decoder.InputOffset():]
	if len(records) == 0 || err == nil && rest != "" || err != nil && !isTruncated(err) {
		return nil, false
	}
	if rest = strings.TrimLeft(rest, ", \t\r\n"); rest != "" {
		records = append(records, resolvev1.Record{Message: rest + cutOff})
	}
	return records, true
}

// parseLines parses a record from each line.
func parseLines(text string, parse parseFunc) (records []resolvev1.Record, ok bool) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		r, ok := parse([]byte(line))
		switch {
		case ok:
			records = append(records, r)
		case i == len(lines)-1 && len(records) > 0 && isTruncatedObject(line):
			records = append(records, resolvev1.Record{Message: line + cutOff})
		default:
			return nil, false
		}
	}
	return records, len(records) > 0
}

// isTruncatedObject reports whether a line is the beginning of an object.
func isTruncatedObject(line string) bool {
	return strings.HasPrefix(line, "{") && isTruncated(json.NewDecoder(strings.NewReader(line)).Decode(&json.RawMessage{}))
}

// isTruncated reports whether a text was valid up to its end.
func isTruncated(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}

// parseStrictRecord parses one record without unknown fields.
func parseStrictRecord(data []byte) (resolvev1.Record, bool) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if decoder.Decode(&resolvev1.Record{}) != nil {
		return resolvev1.Record{}, false
	}
	return parseRecord(data)
}

// parseRecord parses one record: an object with at least one field of an error's content,
// and each field with the right type. Any other JSON is not a record.
func parseRecord(data []byte) (resolvev1.Record, bool) {
	var r resolvev1.Record
	data = bytes.TrimSpace(data)
	if len(data) == 0 || data[0] != '{' || json.Unmarshal(data, &r) != nil {
		return r, false
	}
	return r, HasContent(&r)
}
