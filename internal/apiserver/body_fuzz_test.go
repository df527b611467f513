// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// FuzzReadBody looks for a body that crashes the server, or that is taken for
// "every open error" although it is something else.
func FuzzReadBody(f *testing.F) {
	for _, seed := range []string{
		``, ` `, `{}`, `[]`, ` [ ] `, `[{}]`, `null`, `42`, `"e1"`, `{"errors":[]}`, `{"errors":["e1"]}`, `{"errorIds":["e1","e2"]}`,
		`{"errors":null}`, `{"errors":["e1"],"errors":[]}`, `{"errors":["e1"],"errorIds":["e2"]}`, `{"error":["e1"]}`, `{"reason":"fixed"}`,
		`{"reason":null}`, `{"err\u006frs":["e1"]}`, `{"errors":["e1"]}{}`, `[{"_id":"e1","resolved":true}]`, `[{"resolved":"true"}]`, `[[]]`,
		`[{"createdAt":"2026-11-05T10:15:00Z","message":"late","resolved":true,"extra":[1e400]}]`, `[[[[[[[[[`, "\ufeff{}", "[\x00]", `{"":1}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := read(t.Context(), jsonType, string(data))
		if err != nil {
			var status apierrors.APIStatus
			if !errors.As(err, &status) {
				t.Fatalf("%v (%T) is no API status", err, err)
			}
			if code := status.Status().Code; code < 400 || code > 499 {
				t.Fatalf("a bad body is the client's mistake, not %d: %v", code, err)
			}
			return
		}
		if got.names != nil && len(got.names) == 0 {
			t.Fatal("an empty list of names could mean all as well as none")
		}
		trimmed := bytes.TrimSpace(data)
		if bytes.HasPrefix(trimmed, []byte("[")) && got.records == nil {
			t.Fatal("an array was taken for everything")
		}
		if got.names != nil || got.records != nil || len(trimmed) == 0 {
			return
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatalf("what is no object was taken for everything: %v", err)
		}
		delete(fields, "reason")
		if len(fields) > 0 {
			t.Fatalf("everything was meant in spite of %v", fields)
		}
	})
}
