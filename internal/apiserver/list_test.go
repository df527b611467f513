// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"k8s.io/utils/ptr"

	"joberror.io/operator/internal/jobref"
)

func TestListOptions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, query string
		want        jobref.ListOptions
		// invalid are the parameters that the message must name.
		invalid []string
	}{
		{name: "no parameters mean a full page of all errors", want: jobref.ListOptions{MaxBytes: maxAnswerBytes, Limit: 1000}},
		{name: "empty parameters are ignored", query: "limit=&resolved=&continue=", want: jobref.ListOptions{MaxBytes: maxAnswerBytes, Limit: 1000}},
		{name: "resolved=true", query: "resolved=true", want: jobref.ListOptions{MaxBytes: maxAnswerBytes, Limit: 1000, Resolved: ptr.To(true)}},
		{name: "resolved=false", query: "resolved=false", want: jobref.ListOptions{MaxBytes: maxAnswerBytes, Limit: 1000, Resolved: ptr.To(false)}},
		{name: "the smallest limit", query: "limit=1", want: jobref.ListOptions{MaxBytes: maxAnswerBytes, Limit: 1}},
		{name: "the largest limit", query: "limit=1000", want: jobref.ListOptions{MaxBytes: maxAnswerBytes, Limit: 1000}},
		{name: "the next page", query: "limit=50&resolved=false&continue=abc", want: jobref.ListOptions{MaxBytes: maxAnswerBytes, Limit: 50, Resolved: ptr.To(false), Continue: "abc"}},
		{name: "unknown parameters are ignored", query: "fieldManager=me", want: jobref.ListOptions{MaxBytes: maxAnswerBytes, Limit: 1000}},
		{name: "a limit of zero is refused", query: "limit=0", invalid: []string{"limit"}},
		{name: "a negative limit is refused", query: "limit=-1", invalid: []string{"limit"}},
		{name: "a limit over the largest is refused", query: "limit=1001", invalid: []string{"limit"}},
		{name: "a limit that is not a number is refused", query: "limit=all", invalid: []string{"limit"}},
		{name: "a limit that overflows is refused", query: "limit=9223372036854775808", invalid: []string{"limit"}},
		{name: "resolved=yes is refused", query: "resolved=yes", invalid: []string{"resolved"}},
		{name: "resolved=TRUE is refused", query: "resolved=TRUE", invalid: []string{"resolved"}},
		{name: "all invalid parameters are named", query: "limit=0&resolved=1", invalid: []string{"limit", "resolved"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/jobs/backup/joberrors?"+tc.query, nil)
			got, err := listOptions(r)
			if len(tc.invalid) == 0 {
				if err != nil || !reflect.DeepEqual(got, tc.want) {
					t.Errorf("listOptions = %+v, %v, want %+v", got, err, tc.want)
				}
				return
			}
			status := statusOf(t, err)
			if status.Code != http.StatusUnprocessableEntity || len(status.Details.Causes) != len(tc.invalid) {
				t.Errorf("status = %d %q, want 422 for %v", status.Code, status.Message, tc.invalid)
			}
			for _, name := range tc.invalid {
				if !strings.Contains(status.Message, name+": ") {
					t.Errorf("message = %q, want it to name %s", status.Message, name)
				}
			}
		})
	}
}
