// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package errorlimit

import "testing"

func TestEachKindHasItsOwnLimit(t *testing.T) {
	t.Parallel()
	limits := Limits{CronJob: 1, Job: 2, Namespace: 3}
	for kind, want := range map[Kind]int{CronJob: 1, Job: 2, Namespace: 3} {
		if got := limits.Of(kind); got != want {
			t.Errorf("Of(%s) = %d, want %d", kind, got, want)
		}
	}
}

func TestAScopeExceedsItsLimit(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name         string
		limit, count int
		want         bool
	}{
		{"below", 3, 2, false},
		{"at", 3, 3, false},
		{"above", 3, 4, true},
		{"unlimited", 0, 1_000_000, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := (Limits{Job: test.limit}).exceeds(Job, test.count); got != test.want {
				t.Errorf("exceeds = %t, want %t", got, test.want)
			}
		})
	}
}
