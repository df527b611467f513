// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"fmt"
	"testing"
)

func candidates(names ...string) []Candidate {
	var all []Candidate
	for i, name := range names {
		all = append(all, Candidate{Key{"a", KindJob, name}, int64(i)})
	}
	return all
}

func TestAListedWorkloadStaysUntilItsTroubleEnds(t *testing.T) {
	t.Parallel()
	b := NewBound(2)
	for i, step := range []struct {
		candidates []Candidate
		unlisted   int
		listed     string
	}{
		{candidates("old", "middle", "new"), 1, "[old middle]"},
		{candidates("older", "old", "middle", "new"), 2, "[old middle]"},
		{candidates("middle", "new", "newer"), 1, "[middle new]"},
		{candidates("new"), 0, "[new]"},
		{candidates("first", "new"), 0, "[first new]"},
		{nil, 0, "[]"},
	} {
		unlisted := b.Choose(step.candidates)
		listed := []string{}
		for _, c := range step.candidates {
			if b.Listed(c.Key) {
				listed = append(listed, c.Name)
			}
		}
		if unlisted != step.unlisted || fmt.Sprint(listed) != step.listed {
			t.Errorf("step %d: listed = %v and %d more, want %s and %d more", i, listed, unlisted, step.listed, step.unlisted)
		}
	}
}

func TestABoundOfZeroListsNothing(t *testing.T) {
	t.Parallel()
	b := NewBound(0)
	all := candidates("x", "y")
	if unlisted := b.Choose(all); unlisted != 2 || b.Listed(all[0].Key) {
		t.Errorf("%d are not listed, want 2", unlisted)
	}
}
