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
		// refused are the parameters that the message must name.
		refused []string
	}{
		{name: "without parameters, a full page of all errors", want: jobref.ListOptions{Limit: 1000}},
		{name: "parameters that are left empty do not count", query: "limit=&resolved=&continue=", want: jobref.ListOptions{Limit: 1000}},
		{name: "the resolved ones", query: "resolved=true", want: jobref.ListOptions{Limit: 1000, Resolved: ptr.To(true)}},
		{name: "the open ones", query: "resolved=false", want: jobref.ListOptions{Limit: 1000, Resolved: ptr.To(false)}},
		{name: "one at a time", query: "limit=1", want: jobref.ListOptions{Limit: 1}},
		{name: "as many as there may be", query: "limit=1000", want: jobref.ListOptions{Limit: 1000}},
		{name: "the next page", query: "limit=50&resolved=false&continue=abc", want: jobref.ListOptions{Limit: 50, Resolved: ptr.To(false), Continue: "abc"}},
		{name: "parameters that are not known are passed over", query: "fieldManager=me", want: jobref.ListOptions{Limit: 1000}},
		{name: "none at a time is refused", query: "limit=0", refused: []string{"limit"}},
		{name: "a negative number is refused", query: "limit=-1", refused: []string{"limit"}},
		{name: "one more than there may be is refused", query: "limit=1001", refused: []string{"limit"}},
		{name: "a word for a number is refused", query: "limit=all", refused: []string{"limit"}},
		{name: "a number beyond all numbers is refused", query: "limit=9223372036854775808", refused: []string{"limit"}},
		{name: "another word than true and false is refused", query: "resolved=yes", refused: []string{"resolved"}},
		{name: "true in capitals is refused", query: "resolved=TRUE", refused: []string{"resolved"}},
		{name: "all that is wrong is named at once", query: "limit=0&resolved=1", refused: []string{"limit", "resolved"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/jobs/backup/joberrors?"+tc.query, nil)
			got, err := listOptions(r)
			if len(tc.refused) == 0 {
				if err != nil || !reflect.DeepEqual(got, tc.want) {
					t.Errorf("options = %+v, %v, want %+v", got, err, tc.want)
				}
				return
			}
			status := statusOf(t, err)
			if status.Code != http.StatusUnprocessableEntity || len(status.Details.Causes) != len(tc.refused) {
				t.Errorf("answer %d %q, want 422 about %v", status.Code, status.Message, tc.refused)
			}
			for _, name := range tc.refused {
				if !strings.Contains(status.Message, name+": ") {
					t.Errorf("the message does not name %s: %q", name, status.Message)
				}
			}
		})
	}
}
