// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// FuzzContinue looks for a token that lists another job's errors, or that is refused with
// any error but BadRequest.
func FuzzContinue(f *testing.F) {
	for _, token := range []string{"", "e30", cursor{JobID: "backup"}.encode(), cursor{JobID: "1b-job", Continue: "x"}.encode(), cursor{JobID: "other"}.encode()} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		at, err := twoNames.start(token)
		if err != nil {
			if !apierrors.IsBadRequest(err) {
				t.Fatalf("start(%q) = %v, want BadRequest", token, err)
			}
			return
		}
		if !slices.Contains(twoNames.names, at.JobID) {
			t.Fatalf("start(%q) lists %q, want a name of the job", token, at.JobID)
		}
		again, err := twoNames.start(at.encode())
		if err != nil || again.JobID != at.JobID {
			t.Fatalf("start(%q) = %+v, encoded again %+v, %v", token, at, again, err)
		}
	})
}
