// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package growth

import (
	"strings"
	"testing"
)

var leader, standby = Replica{PID: 1, Leader: true}, Replica{PID: 1}

// used returns the usage after n Jobs.
func used(jobs int, heapMiB, goroutines, files float64) Usage {
	return Usage{Jobs: jobs, Heap: heapMiB * (1 << 20), Goroutines: goroutines, Files: files}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		usages []Usage
		want   string
	}{
		"flat":                            {usages: []Usage{used(0, 20, 300, 30), used(50, 22, 300, 30), used(100, 22, 300, 30)}},
		"grows while it warms up":         {usages: []Usage{used(0, 10, 100, 10), used(50, 22, 300, 30), used(100, 22, 300, 30)}},
		"grows in the first half":         {usages: []Usage{used(0, 20, 300, 30), used(0, 29, 300, 30), used(0, 29, 330, 30), used(0, 29, 330, 30)}},
		"shrinks":                         {usages: []Usage{used(0, 20, 300, 30), used(50, 22, 300, 30), used(100, 12, 200, 20)}},
		"remembers the Jobs of the load":  {usages: []Usage{used(0, 20, 300, 30), used(50, 20, 300, 30), used(1050, 31, 300, 30)}},
		"the heap grows more than that":   {usages: []Usage{used(0, 20, 300, 30), used(50, 20, 300, 30), used(1050, 32, 300, 30)}, want: "leader 1 has grown"},
		"goroutines leak":                 {usages: []Usage{used(0, 20, 300, 30), used(50, 20, 300, 30), used(50, 20, 321, 30)}, want: "leader 1 has grown"},
		"files leak":                      {usages: []Usage{used(0, 20, 300, 30), used(50, 20, 300, 30), used(50, 20, 300, 41)}, want: "leader 1 has grown"},
		"measured once after the warm-up": {usages: []Usage{used(0, 20, 300, 30), used(50, 20, 300, 30)}, want: "no replica has run long enough"},
		"not measured":                    {want: "no replica has run long enough"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := Growth{}
			for _, u := range tc.usages {
				g.Add(map[Replica]Usage{leader: u})
			}
			got := strings.Join(g.Problems(), "\n")
			if !strings.Contains(got, tc.want) || got != "" && tc.want == "" {
				t.Errorf("problems = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestComparesAReplicaInTheSameRole(t *testing.T) {
	t.Parallel()
	g := Growth{}
	for range 3 {
		g.Add(map[Replica]Usage{standby: used(0, 20, 300, 30)})
	}
	if problems := g.Problems(); len(problems) > 0 {
		t.Errorf("problems = %q, want none", problems)
	}
	for range 3 {
		g.Add(map[Replica]Usage{leader: used(0, 40, 500, 30)})
	}
	if problems := g.Problems(); len(problems) > 0 {
		t.Errorf("problems = %q after a change of the leader, want none", problems)
	}
}

func TestLowest(t *testing.T) {
	t.Parallel()
	if got, want := used(1, 20, 300, 31).Lowest(used(2, 21, 200, 30)), used(1, 20, 200, 30); got != want {
		t.Errorf("lowest = %s, want %s", got, want)
	}
}
