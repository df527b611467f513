// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"slices"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// FuzzContinue looks for a token that leads out of the job, or that is refused
// as anything but the caller's mistake.
func FuzzContinue(f *testing.F) {
	for _, token := range []string{"", "e30", cursor{JobID: "backup"}.encode(), cursor{JobID: "1b-job", Continue: "x"}.encode(), cursor{JobID: "other"}.encode()} {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		at, err := twice.start(token)
		if err != nil {
			if !apierrors.IsBadRequest(err) {
				t.Fatalf("%q: %v is no bad request", token, err)
			}
			return
		}
		if !slices.Contains(twice.names, at.JobID) {
			t.Fatalf("%q leads to %q", token, at.JobID)
		}
		again, err := twice.start(at.encode())
		if err != nil || again.JobID != at.JobID {
			t.Fatalf("%q reads as %+v, and that as %+v, %v", token, at, again, err)
		}
	})
}
