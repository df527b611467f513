// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"net/http"
	"strings"
	"testing"
)

func TestReadBodyRefuses(t *testing.T) {
	t.Parallel()
	const malformed, unprocessable = http.StatusBadRequest, http.StatusUnprocessableEntity
	for _, tc := range []struct {
		name, body string
		code       int32
		// want is a part of the message, such as the name of the field.
		want string
	}{
		{name: "both errors and errorIds", body: `{"errors":["e1"],"errorIds":["e2"]}`, code: unprocessable, want: "errorIds: Forbidden"},
		{name: "an empty list", body: `{"errors":[]}`, code: unprocessable, want: "errors: Required"},
		{name: "an empty list in errorIds", body: `{"errorIds":[]}`, code: unprocessable, want: "errorIds: Required"},
		{name: "null for errors", body: `{"errors":null}`, code: unprocessable, want: "errors: Required"},
		{name: "null for errorIds", body: `{"errors":["e1"],"errorIds":null}`, code: unprocessable, want: "errorIds"},
		{name: "a duplicate name", body: `{"errors":["e1","e2","e1"]}`, code: unprocessable, want: `errors[2]: Duplicate value: "e1"`},
		{name: "an invalid name", body: `{"errors":["e1","Not A Name"]}`, code: unprocessable, want: "errors[1]"},
		{name: "a name that is a path", body: `{"errorIds":["../e1"]}`, code: unprocessable, want: "errorIds[0]"},
		{name: "an empty name", body: `{"errors":[""]}`, code: unprocessable, want: "errors[0]"},
		{name: "null for a name", body: `{"errors":["e1",null]}`, code: unprocessable, want: "errors[1]"},
		{name: "more than a thousand names", body: `{"errors":` + namesList(1001) + `}`, code: unprocessable, want: "errors: Too many"},
		{name: "a name that is not in a list", body: `{"errors":"e1"}`, code: unprocessable, want: "errors: Invalid value"},
		{name: "an object for a list of names", body: `{"errors":{"e1":true}}`, code: unprocessable, want: "errors: Invalid value"},
		{name: "a number for a name", body: `{"errorIds":[1]}`, code: unprocessable, want: "errorIds: Invalid value"},
		{name: "a number for a reason", body: `{"reason":7}`, code: unprocessable, want: "reason: Invalid value"},
		{name: "a reason that is too long", body: `{"reason":"` + strings.Repeat("r", maxReason+1) + `"}`, code: unprocessable, want: "reason: Too long"},

		{name: "a mistyped errors", body: `{"error":["e1"]}`, code: unprocessable, want: "error: Forbidden"},
		{name: "errors in capitals", body: `{"Errors":["e1"]}`, code: unprocessable, want: "Errors: Forbidden"},
		{name: "a record instead of an array of one", body: `{"_id":"e1","resolved":true}`, code: unprocessable, want: "_id: Forbidden"},
		{name: "duplicate errors", body: `{"errors":["e1"],"errors":["e2"]}`, code: unprocessable, want: `duplicate field "errors"`},
		{name: "duplicate errors, one escaped", body: `{"errors":["e1"],"err\u006frs":["e2"]}`, code: unprocessable, want: `duplicate field "errors"`},
		{name: "a duplicate reason", body: `{"reason":"fixed","errors":["e1"],"reason":"late"}`, code: unprocessable, want: `duplicate field "reason"`},
		{name: "an unknown field among known fields", body: `{"errors":["e1"],"force":true}`, code: unprocessable, want: "force: Forbidden"},

		{name: "a name among records", body: `[{"_id":"e1"},"e2"]`, code: unprocessable, want: "[1]: Invalid value"},
		{name: "null among records", body: `[null]`, code: unprocessable, want: "[0]: Invalid value"},
		{name: "an array among records", body: `[[]]`, code: unprocessable, want: "[0]: Invalid value"},
		{name: "a string for a record's resolved", body: `[{},{"resolved":"true"}]`, code: unprocessable, want: "[1].resolved: Invalid value"},
		{name: "a number for a record's _id", body: `[{"_id":7}]`, code: unprocessable, want: "[0]._id: Invalid value"},
		{name: "an object for a record's message", body: `[{"message":{}}]`, code: unprocessable, want: "[0].message: Invalid value"},

		{name: "a string", body: `"e1"`, code: unprocessable, want: "must be an object or an array of records"},
		{name: "a number", body: `42`, code: unprocessable, want: "must be an object or an array of records"},
		{name: "true", body: `true`, code: unprocessable, want: "must be an object or an array of records"},
		{name: "null", body: `null`, code: unprocessable, want: "must be an object or an array of records"},

		{name: "an unfinished object", body: `{"errors":["e1"]`, code: malformed, want: "ends too early"},
		{name: "an unfinished array", body: `[{}`, code: malformed, want: "ends too early"},
		{name: "a trailing comma", body: `{"errors":["e1",]}`, code: malformed, want: "not valid JSON"},
		{name: "names without quotes", body: `{errors:["e1"]}`, code: malformed, want: "not valid JSON"},
		{name: "YAML", body: "errors:\n- e1\n", code: malformed, want: "not valid JSON"},
		{name: "a form", body: "errors=e1", code: malformed, want: "not valid JSON"},
		{name: "text after the end", body: `{} e1`, code: malformed, want: "something follows"},
		{name: "a second object", body: `{"errors":["e1"]}{"errors":["e2"]}`, code: malformed, want: "something follows"},
		{name: "an extra bracket", body: `[]]`, code: malformed, want: "something follows"},
		{name: "an object that is nested too deeply", body: `{"errors":[[[[[[[[1]]]]]]]]}`, code: malformed, want: "8 levels"},
		{name: "a record that is nested too deeply", body: `[{"x":[[[[[[[1]]]]]]]}]`, code: malformed, want: "8 levels"},
		{name: "millions of brackets", body: strings.Repeat("[", maxBodyBytes), code: malformed, want: "8 levels"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(t.Context(), jsonType, tc.body)
			if err == nil {
				t.Fatalf("readBody = %+v, want an error", got)
			}
			status := statusOf(t, err)
			if status.Code != tc.code || !strings.Contains(status.Message, tc.want) {
				t.Errorf("status = %d %q, want %d with %q", status.Code, status.Message, tc.code, tc.want)
			}
		})
	}
}

func TestReadBodyRefusesOtherTypes(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{
		"application/yaml", "text/plain", "application/x-www-form-urlencoded", "application/json-patch+json",
		"application/vnd.kubernetes.protobuf", "application/json;=", "json",
	} {
		t.Run(contentType, func(t *testing.T) {
			t.Parallel()
			_, err := read(t.Context(), contentType, `{"errors":["e1"]}`)
			status := statusOf(t, err)
			if status.Code != http.StatusUnsupportedMediaType || !strings.Contains(status.Message, "Content-Type") {
				t.Errorf("status = %d %q, want 415 with Content-Type", status.Code, status.Message)
			}
		})
	}
}

func TestReadBodyRefusesTooManyBytes(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"records":                 `[{"message":"` + strings.Repeat("m", maxBodyBytes) + `"}]`,
		"blanks around an object": strings.Repeat(" ", maxBodyBytes-1) + `{}`,
		"blanks alone":            strings.Repeat(" ", maxBodyBytes+1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t.Context(), jsonType, content)
			if status := statusOf(t, err); status.Code != http.StatusRequestEntityTooLarge || !strings.Contains(status.Message, "4194304 bytes") {
				t.Errorf("status = %d %q, want 413 with the limit", status.Code, status.Message)
			}
		})
	}
}

func TestReadBodyRefusesTooManyTokens(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty records":  `[` + strings.Repeat(`{},`, maxTokens/2) + `{}]`,
		"names":          `{"errors":` + namesList(maxTokens) + `}`,
		"unknown values": `[{"x":[` + strings.Repeat(`0,`, maxTokens) + `0]}]`,
		"invalid JSON":   `[` + strings.Repeat(`0,`, maxTokens) + `!`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t.Context(), jsonType, content)
			if status := statusOf(t, err); status.Code != http.StatusRequestEntityTooLarge || !strings.Contains(status.Message, "names and values") {
				t.Errorf("status = %d %.200q, want 413 with the limit", status.Code, status.Message)
			}
		})
	}
}

func TestErrorsForRecordsListTheFirstTen(t *testing.T) {
	t.Parallel()
	_, err := read(t.Context(), jsonType, `[`+strings.Repeat(`1,`, 5000)+`1]`)
	status := statusOf(t, err)
	if status.Code != http.StatusUnprocessableEntity || len(status.Details.Causes) != 10 {
		t.Errorf("status = %d with %d causes, want 422 with 10", status.Code, len(status.Details.Causes))
	}
}
