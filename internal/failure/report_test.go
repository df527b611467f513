// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"slices"
	"testing"
	"unicode/utf8"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

func TestRecords(t *testing.T) {
	t.Parallel()
	row := func(code, message string) resolvev1.Record { return resolvev1.Record{Code: code, Message: message} }
	const one, two = `{"code":"E1","message":"row 1"}`, `{"code":"E2","message":"row 2"}`
	truncated := row("", `{"code":"E2 … (cut off: a termination message has at most 4096 bytes, and those of a pod 12288 together)`)
	for _, tc := range []struct {
		name, message string
		mayBeLog      bool
		want          []resolvev1.Record
	}{
		{name: "nothing"},
		{name: "text", message: "no such table"},
		{name: "text in brackets", message: "[error] no such table"},
		{name: "one record", message: one, want: []resolvev1.Record{row("E1", "row 1")}},
		{name: "one record over several lines", message: "{\n \"code\": \"E1\",\n \"message\": \"row 1\"\n}\n", want: []resolvev1.Record{row("E1", "row 1")}},
		{name: "an array", message: "[" + one + "," + two + "]", want: []resolvev1.Record{row("E1", "row 1"), row("E2", "row 2")}},
		{name: "one record in each line", message: one + "\n\n" + two + "\r\n", want: []resolvev1.Record{row("E1", "row 1"), row("E2", "row 2")}},
		{name: "unknown fields are ignored", message: `{"code":"E1","message":"row 1","row":7}`, want: []resolvev1.Record{row("E1", "row 1")}},
		{name: "an empty array", message: "[]"},
		{name: "an empty object", message: "{}"},
		{name: "an object without content", message: `{"rows":7,"resolved":true}`},
		{name: "a log in JSON with a message", mayBeLog: true, message: `{"time":"10:00","level":"error","message":"row 1"}`},
		{name: "possibly a log, but with records", mayBeLog: true, message: one + "\n" + two, want: []resolvev1.Record{row("E1", "row 1"), row("E2", "row 2")}},
		{name: "a log in JSON", message: `{"level":"info","msg":"done"}`},
		{name: "a field with the wrong type", message: `{"code":7,"message":"row 1"}`},
		{name: "an array with another value", message: "[" + one + `,"row 2"]`},
		{name: "records, then text", message: one + "\nno such table"},
		{name: "a truncated last line", message: one + "\n" + `{"code":"E2`, want: []resolvev1.Record{row("E1", "row 1"), truncated}},
		{name: "a truncated array", message: "[" + one + ", " + `{"code":"E2`, want: []resolvev1.Record{row("E1", "row 1"), truncated}},
		{name: "an array truncated between records", message: "[" + one + "," + two + ",\n", want: []resolvev1.Record{row("E1", "row 1"), row("E2", "row 2")}},
		{name: "an array with a syntax error", message: "[" + one + `,{"code" "E2"}]`},
		{name: "an array, then text", message: "[" + one + "]\nno such table"},
		{name: "an array with a truncated first record", message: `[{"code":"E2`},
		{name: "a truncated line in the middle", message: one + "\n{\"code\":\"E2\n" + two},
		{name: "a last line with a syntax error", message: one + "\n" + `{"code" "E2"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, ok := Records(tc.message, tc.mayBeLog)
			if !slices.Equal(got, tc.want) || ok != (tc.want != nil) {
				t.Errorf("Records = %+v, %t, want %+v", got, ok, tc.want)
			}
		})
	}
}

// FuzzRecords looks for a message that becomes records without content, or that panics.
func FuzzRecords(f *testing.F) {
	for _, message := range []string{"", "text", "{}", "[]", `{"message":"m"}`, "[{\"code\":\"c\"}]", "{\"code\":\"c\"}\n{\"code\":\"d\"}", "[[[[[", `{"message":null}`, "\xff{}"} {
		f.Add(message)
	}
	f.Fuzz(func(t *testing.T, message string) {
		records, ok := Records(message, false)
		if ok != (len(records) > 0) {
			t.Fatalf("%d records, %t", len(records), ok)
		}
		for _, r := range records {
			if (r == resolvev1.Record{ID: r.ID, UserID: r.UserID, JobID: r.JobID, RetryID: r.RetryID, CreatedAt: r.CreatedAt, Resolved: r.Resolved}) {
				t.Fatalf("%q holds a record without content: %+v", message, r)
			}
			if utf8.ValidString(message) && !utf8.ValidString(r.Message) {
				t.Fatalf("%q became %q", message, r.Message)
			}
		}
	})
}
