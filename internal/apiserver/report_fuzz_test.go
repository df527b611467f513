// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"joberror.io/operator/internal/failure"
)

// FuzzReadReport looks for bodies that crash the server, and for records without content that
// are accepted.
func FuzzReadReport(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `[]`, `[{}]`, `null`, `{"message":"m"}`, `[{"message":"m"},{"_id":"a","code":"c"}]`, `[{"_id":"a","code":"c"},{"_id":"a","code":"d"}]`,
		`{"message":"a","message":"b"}`, `{"_id":"A b","message":"m"}`, `{"mesage":"m"}`, `[[[[[[[[[`, `{"message":7}`, "{\"message\":\"\xff\"}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, content string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/jobs/backup/joberrors", strings.NewReader(content))
		got, err := readReport(httptest.NewRecorder(), r)
		if err != nil {
			var status apierrors.APIStatus
			if !errors.As(err, &status) || status.Status().Code < 400 || status.Status().Code > 499 {
				t.Fatalf("readReport = %v, want a 4xx status", err)
			}
			return
		}
		for _, r := range got.records {
			if !failure.HasContent(&r) {
				t.Fatalf("readReport accepts a record without content in %q", content)
			}
		}
	})
}
