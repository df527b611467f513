// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"testing"
	"time"
)

func TestAgendaReturnsWhatIsDue(t *testing.T) {
	t.Parallel()
	a := newAgenda()
	for i := range 100 {
		// 37 and 100 have no common divisor: each time comes once, in another order.
		a.add(sightingID{key: fmt.Sprint(i)}, &sighting{due: now.Add(time.Duration(i*37%100) * time.Second)})
	}
	for _, at := range []int{-1, 0, 41, 99} {
		due, next := a.due(now.Add(time.Duration(at) * time.Second))
		want := now.Add(time.Duration(at+1) * time.Second)
		if at == 99 {
			want = never
		}
		if len(due) != at+1 || !next.Equal(want) {
			t.Errorf("after %ds, %d are due and the next at %s, want %d and %s", at, len(due), next, at+1, want)
		}
	}
	for i := range 99 {
		a.remove(sightingID{key: fmt.Sprint(i)})
	}
	last := a.sightings[sightingID{key: "99"}]
	last.due = now.Add(time.Hour)
	a.move(last)
	if due, next := a.due(now); len(due) != 0 || !next.Equal(last.due) {
		t.Errorf("%d are due and the next at %s, want none and %s", len(due), next, last.due)
	}
}
