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
		// says is what the message must hold, the field's name above all.
		says string
	}{
		{name: "errors beside errorIds", body: `{"errors":["e1"],"errorIds":["e2"]}`, code: unprocessable, says: "errorIds: Forbidden"},
		{name: "no names", body: `{"errors":[]}`, code: unprocessable, says: "errors: Required"},
		{name: "no names under the other field", body: `{"errorIds":[]}`, code: unprocessable, says: "errorIds: Required"},
		{name: "null for names", body: `{"errors":null}`, code: unprocessable, says: "errors: Required"},
		{name: "null for the other field's names", body: `{"errors":["e1"],"errorIds":null}`, code: unprocessable, says: "errorIds"},
		{name: "a name twice", body: `{"errors":["e1","e2","e1"]}`, code: unprocessable, says: `errors[2]: Duplicate value: "e1"`},
		{name: "a name that no object can have", body: `{"errors":["e1","Not A Name"]}`, code: unprocessable, says: "errors[1]"},
		{name: "a name that is a path", body: `{"errorIds":["../e1"]}`, code: unprocessable, says: "errorIds[0]"},
		{name: "an empty name", body: `{"errors":[""]}`, code: unprocessable, says: "errors[0]"},
		{name: "null for a name", body: `{"errors":["e1",null]}`, code: unprocessable, says: "errors[1]"},
		{name: "more than a thousand names", body: `{"errors":` + namesList(1001) + `}`, code: unprocessable, says: "errors: Too many"},
		{name: "one name that is no list", body: `{"errors":"e1"}`, code: unprocessable, says: "errors: Invalid value"},
		{name: "an object for a list of names", body: `{"errors":{"e1":true}}`, code: unprocessable, says: "errors: Invalid value"},
		{name: "a number for a name", body: `{"errorIds":[1]}`, code: unprocessable, says: "errorIds: Invalid value"},
		{name: "a number for a reason", body: `{"reason":7}`, code: unprocessable, says: "reason: Invalid value"},
		{name: "a reason that is too long", body: `{"reason":"` + strings.Repeat("r", maxReason+1) + `"}`, code: unprocessable, says: "reason: Too long"},

		{name: "a mistyped errors", body: `{"error":["e1"]}`, code: unprocessable, says: "error: Forbidden"},
		{name: "errors in capitals", body: `{"Errors":["e1"]}`, code: unprocessable, says: "Errors: Forbidden"},
		{name: "a record instead of an array of one", body: `{"_id":"e1","resolved":true}`, code: unprocessable, says: "_id: Forbidden"},
		{name: "errors twice", body: `{"errors":["e1"],"errors":["e2"]}`, code: unprocessable, says: `duplicate field "errors"`},
		{name: "errors twice, one of them escaped", body: `{"errors":["e1"],"err\u006frs":["e2"]}`, code: unprocessable, says: `duplicate field "errors"`},
		{name: "a reason twice", body: `{"reason":"fixed","errors":["e1"],"reason":"late"}`, code: unprocessable, says: `duplicate field "reason"`},
		{name: "an unknown field beside known ones", body: `{"errors":["e1"],"force":true}`, code: unprocessable, says: "force: Forbidden"},

		{name: "a name among records", body: `[{"_id":"e1"},"e2"]`, code: unprocessable, says: "[1]: Invalid value"},
		{name: "null among records", body: `[null]`, code: unprocessable, says: "[0]: Invalid value"},
		{name: "an array among records", body: `[[]]`, code: unprocessable, says: "[0]: Invalid value"},
		{name: "a word for a record's resolved", body: `[{},{"resolved":"true"}]`, code: unprocessable, says: "[1].resolved: Invalid value"},
		{name: "a number for a record's _id", body: `[{"_id":7}]`, code: unprocessable, says: "[0]._id: Invalid value"},
		{name: "an object for a record's message", body: `[{"message":{}}]`, code: unprocessable, says: "[0].message: Invalid value"},

		{name: "a string", body: `"e1"`, code: unprocessable, says: "must be an object or an array of records"},
		{name: "a number", body: `42`, code: unprocessable, says: "must be an object or an array of records"},
		{name: "true", body: `true`, code: unprocessable, says: "must be an object or an array of records"},
		{name: "null", body: `null`, code: unprocessable, says: "must be an object or an array of records"},

		{name: "an object without an end", body: `{"errors":["e1"]`, code: malformed, says: "ends too early"},
		{name: "an array without an end", body: `[{}`, code: malformed, says: "ends too early"},
		{name: "a comma too many", body: `{"errors":["e1",]}`, code: malformed, says: "not valid JSON"},
		{name: "keys without quotes", body: `{errors:["e1"]}`, code: malformed, says: "not valid JSON"},
		{name: "YAML", body: "errors:\n- e1\n", code: malformed, says: "not valid JSON"},
		{name: "a form", body: "errors=e1", code: malformed, says: "not valid JSON"},
		{name: "words after the end", body: `{} e1`, code: malformed, says: "something follows"},
		{name: "a second object", body: `{"errors":["e1"]}{"errors":["e2"]}`, code: malformed, says: "something follows"},
		{name: "a bracket too many", body: `[]]`, code: malformed, says: "something follows"},
		{name: "an object that is nested too deep", body: `{"errors":[[[[[[[[1]]]]]]]]}`, code: malformed, says: "8 levels"},
		{name: "a record that is nested too deep", body: `[{"x":[[[[[[[1]]]]]]]}]`, code: malformed, says: "8 levels"},
		{name: "brackets without end", body: strings.Repeat("[", maxBodyBytes), code: malformed, says: "8 levels"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := read(t.Context(), jsonType, tc.body)
			if err == nil {
				t.Fatalf("it was taken for %+v", got)
			}
			status := statusOf(t, err)
			if status.Code != tc.code || !strings.Contains(status.Message, tc.says) {
				t.Errorf("answer %d %q, want %d with %q", status.Code, status.Message, tc.code, tc.says)
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
				t.Errorf("answer %d %q, want 415 that names Content-Type", status.Code, status.Message)
			}
		})
	}
}

func TestReadBodyRefusesWhatIsTooLarge(t *testing.T) {
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
				t.Errorf("answer %d %q, want 413 that tells the limit", status.Code, status.Message)
			}
		})
	}
}

func TestReadBodyRefusesWhatHoldsTooMuch(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{
		"empty records":   `[` + strings.Repeat(`{},`, maxTokens/2) + `{}]`,
		"names":           `{"errors":` + namesList(maxTokens) + `}`,
		"unknown values":  `[{"x":[` + strings.Repeat(`0,`, maxTokens) + `0]}]`,
		"what is no JSON": `[` + strings.Repeat(`0,`, maxTokens) + `!`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t.Context(), jsonType, content)
			if status := statusOf(t, err); status.Code != http.StatusRequestEntityTooLarge || !strings.Contains(status.Message, "names and values") {
				t.Errorf("answer %d %.200q, want 413 that tells the limit", status.Code, status.Message)
			}
		})
	}
}

func TestARefusalOfRecordsListsTheFirstTen(t *testing.T) {
	t.Parallel()
	_, err := read(t.Context(), jsonType, `[`+strings.Repeat(`1,`, 5000)+`1]`)
	status := statusOf(t, err)
	if status.Code != http.StatusUnprocessableEntity || len(status.Details.Causes) != 10 {
		t.Errorf("answer %d with %d causes, want 422 with 10", status.Code, len(status.Details.Causes))
	}
}
