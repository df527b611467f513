// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"strings"
	"testing"
)

func TestLineage(t *testing.T) {
	t.Parallel()
	for name, root := range map[string][]option{
		"a short name":             nil,
		"a name like a retry's":    {named("import-r2")},
		"a long name":              {named(strings.Repeat("a", 63))},
		"a long name with indexes": {named(strings.Repeat("a", 63)), indexed(1000, "")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			first := failedJob(root...)
			want := LineageOf(first).Fitting(&first.Spec)
			if want.Root != rootUID || Attempt(first) != 0 || RequestOf(first) != "" {
				t.Errorf("the Job that ran first: lineage %v, attempt %d, request %q", want, Attempt(first), RequestOf(first))
			}
			second := planFor(first).Job()
			second.UID = "another"
			third := planFor(second)
			third.Attempt = 2
			for i, job := range []Plan{planFor(first), third} {
				retry := job.Job()
				if got := LineageOf(retry); got != want {
					t.Errorf("lineage of %s = %v, want %v", retry.Name, got, want)
				}
				if got := Attempt(retry); got != int32(i)+1 {
					t.Errorf("attempt of %s = %d, want %d", retry.Name, got, i+1)
				}
				if got := RequestOf(retry); got != "request" {
					t.Errorf("request of %s = %q", retry.Name, got)
				}
			}
		})
	}
}

func TestAttemptInAName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		base    string
		attempt int32
	}{
		"import-r1":           {"import", 1},
		"import-r2-r31":       {"import-r2", 31},
		"import":              {"import", 0},
		"import-rest":         {"import-rest", 0},
		"import-r0":           {"import-r0", 0},
		"import-r-1":          {"import-r-1", 0},
		"import-r99999999999": {"import-r99999999999", 0},
	} {
		if base, attempt := splitName(name); base != want.base || attempt != want.attempt {
			t.Errorf("splitName(%q) = %q, %d, want %q, %d", name, base, attempt, want.base, want.attempt)
		}
	}
}
