// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import "testing"

func TestNumberedNames(t *testing.T) {
	t.Parallel()
	for _, job := range []string{"backup", "backup.5", "backup-1.20"} {
		first := ErrorName(job, "uid", "exit/main/ExitCode:3")
		seen := map[string]bool{}
		for _, n := range []int{1, 2, 10, 123} {
			name := NumberedName(first, n)
			if seen[name] || FirstName(name) != first || IDOf(name) != IDOf(first) {
				t.Errorf("name %d of %s is %s, whose first is %s", n, first, name, FirstName(name))
			}
			seen[name] = true
		}
		if NumberedName(first, 1) != first {
			t.Errorf("the first name of %s is %s", first, NumberedName(first, 1))
		}
	}
	if IDOf(ErrorName("job", "1", "a")) == IDOf(ErrorName("job", "2", "a")) || IDOf("short") == IDOf("other") {
		t.Error("different errors have the same id")
	}
}
