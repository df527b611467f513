// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
)

// FuzzMark looks for annotations whose mark changes when it is written and read again.
func FuzzMark(f *testing.F) {
	f.Add("alice", "2", "resolve-x1/1")
	f.Add("", "-1", "/")
	f.Add("bob", "99999999999999999999", "a/b/c")
	f.Add("carol", "007", "x")
	f.Fuzz(func(t *testing.T, by, generation, resolution string) {
		je := annotated(map[string]string{
			joberrorv1.AnnotationResolvedBy: by, joberrorv1.AnnotationResolvedGeneration: generation, joberrorv1.AnnotationResolution: resolution,
		})
		mark := MarkOf(je)
		if mark.Generation < 1 {
			if mark.Fresh(0, 1<<62) {
				t.Fatalf("Fresh of %+v = true, want false", mark)
			}
			return
		}
		if mark.By != by {
			t.Fatalf("By = %q, want %q", mark.By, by)
		}
		mark.Put(je)
		again := MarkOf(je)
		if mark.Resolution.Name == "" {
			// A resolution without a name is not written.
			mark.Resolution = Resolution{}
		}
		if again != mark {
			t.Fatalf("MarkOf after Put = %+v, want %+v", again, mark)
		}
	})
}
