// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import "testing"

func TestOneNamespaceLeavesPlacesToOthers(t *testing.T) {
	t.Parallel()
	p := newPlaces(100)
	var leaves []func()
	fill := func(namespace string) (count int) {
		for {
			leave, ok := p.enter(namespace)
			if !ok {
				return count
			}
			leaves = append(leaves, leave)
			count++
		}
	}
	if busy, other, third := fill("busy"), fill("other"), fill("third"); busy != 50 || other != 50 || third != 0 {
		t.Errorf("places taken = %d, %d and %d, want 50, 50 and 0", busy, other, third)
	}
	// Only the first call gives the place back.
	leaves[0]()
	leaves[0]()
	if third, busy := fill("third"), fill("busy"); third != 1 || busy != 0 {
		t.Errorf("a free place was taken %d times by another namespace and %d times by the busy one, want 1 and 0", third, busy)
	}
	for _, leave := range leaves {
		leave()
	}
	if p.all != 0 || len(p.namespaces) > 0 {
		t.Errorf("after all have left: %d places are taken, by %v", p.all, p.namespaces)
	}
}
