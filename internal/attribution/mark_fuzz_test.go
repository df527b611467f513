// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package attribution

import (
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
)

// FuzzMark looks for annotations that read as one mark and, written again, as
// another.
func FuzzMark(f *testing.F) {
	f.Add("alice", "2", "resolve-x1/1")
	f.Add("", "-1", "/")
	f.Add("bob", "99999999999999999999", "a/b/c")
	f.Add("carol", "007", "x")
	f.Fuzz(func(t *testing.T, by, generation, entry string) {
		je := annotated(map[string]string{
			joberrorv1.AnnotationResolvedBy: by, joberrorv1.AnnotationResolvedGeneration: generation, joberrorv1.AnnotationResolution: entry,
		})
		mark := Of(je)
		if mark.Generation < 1 {
			if mark.Fresh(0, 1<<62) {
				t.Fatalf("%+v passes for the mark of a change", mark)
			}
			return
		}
		if mark.By != by {
			t.Fatalf("%q reads as %q", by, mark.By)
		}
		mark.Put(je)
		again := Of(je)
		if mark.Resolution.Name == "" {
			// Nothing is what an entry without a name is written as.
			mark.Resolution = Resolution{}
		}
		if again != mark {
			t.Fatalf("%+v was put and reads as %+v", mark, again)
		}
	})
}
