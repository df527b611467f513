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

// FuzzReadBody looks for bodies that crash the server, and for bodies that mean every open
// error by mistake.
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
				t.Fatalf("readBody = %v (%T), want an API status", err, err)
			}
			if code := status.Status().Code; code < 400 || code > 499 {
				t.Fatalf("status = %d %v, want 4xx", code, err)
			}
			return
		}
		if got.names != nil && len(got.names) == 0 {
			t.Fatal("readBody accepts an empty list of names")
		}
		trimmed := bytes.TrimSpace(data)
		if bytes.HasPrefix(trimmed, []byte("[")) && got.records == nil {
			t.Fatal("readBody takes an array for every open error")
		}
		if got.names != nil || got.records != nil || len(trimmed) == 0 {
			return
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatalf("readBody takes a body that is not an object for every open error: %v", err)
		}
		delete(fields, "reason")
		if len(fields) > 0 {
			t.Fatalf("readBody takes an object with %v for every open error", fields)
		}
	})
}
