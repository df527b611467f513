// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"encoding/base64"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// twoNames is a job whose errors have two values of spec._jobId.
var twoNames = Ref{Namespace: "team", ID: "backup", names: []string{"1b-job", "backup"}}

func TestAListStartsAtTheFirstName(t *testing.T) {
	t.Parallel()
	at, err := twoNames.start("")
	if want := (cursor{JobID: "1b-job"}); err != nil || at != want {
		t.Errorf("start = %+v, %v, want %+v", at, err, want)
	}
}

func TestATokenReturnsToItsPosition(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]cursor{
		"within a name":          {JobID: "1b-job", Continue: "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ=="},
		"at the start of a name": {JobID: "backup"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if at, err := twoNames.start(want.encode()); err != nil || at != want {
				t.Errorf("start = %+v, %v, want %+v", at, err, want)
			}
		})
	}
}

func TestAnInvalidTokenIsABadRequest(t *testing.T) {
	t.Parallel()
	for name, token := range map[string]string{
		"the token of another job":     cursor{JobID: "restore", Continue: "x"}.encode(),
		"the API server's own token":   "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NX0",
		"text that is not base64":      "not a token!",
		"base64 of invalid JSON":       base64.RawURLEncoding.EncodeToString([]byte("backup")),
		"base64 of another JSON value": base64.RawURLEncoding.EncodeToString([]byte(`["backup"]`)),
		"an empty object":              base64.RawURLEncoding.EncodeToString([]byte(`{}`)),
		"a token with padding added":   cursor{JobID: "backup"}.encode() + "==",
		"a truncated token":            cursor{JobID: "backup"}.encode()[:8],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if at, err := twoNames.start(token); !apierrors.IsBadRequest(err) {
				t.Errorf("start = %+v, %v, want a BadRequest", at, err)
			}
		})
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		at    cursor
		token string
		want  cursor
		more  bool
	}{
		{name: "more pages continue within the name", at: cursor{JobID: "1b-job"}, token: "t1",
			want: cursor{JobID: "1b-job", Continue: "t1"}, more: true},
		{name: "a later page uses the newer token", at: cursor{JobID: "1b-job", Continue: "t1"}, token: "t2",
			want: cursor{JobID: "1b-job", Continue: "t2"}, more: true},
		{name: "the end of a name leads to the start of the next name", at: cursor{JobID: "1b-job", Continue: "t2"},
			want: cursor{JobID: "backup"}, more: true},
		{name: "more pages continue within the last name", at: cursor{JobID: "backup"}, token: "t3",
			want: cursor{JobID: "backup", Continue: "t3"}, more: true},
		{name: "the end of the last name is the end", at: cursor{JobID: "backup", Continue: "t3"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got, more := twoNames.next(tc.at, tc.token); got != tc.want || more != tc.more {
				t.Errorf("next = %+v, %t, want %+v, %t", got, more, tc.want, tc.more)
			}
		})
	}
}

func TestAListVisitsEachNameOnce(t *testing.T) {
	t.Parallel()
	at, err := twoNames.start("")
	if err != nil {
		t.Fatal(err)
	}
	var visited []string
	for more := true; more && len(visited) < 10; at, more = twoNames.next(at, "") {
		visited = append(visited, at.JobID)
	}
	if len(visited) != 2 || visited[0] != "1b-job" || visited[1] != "backup" {
		t.Errorf("visited = %v, want each of %v once", visited, twoNames.names)
	}
}
