// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package growth compares what the replicas of the operator use over time. All usages are
// measured on a cluster without Jobs and errors, so that they should be the same.
package growth

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Allowances for the growth of a replica between two measurements.
const (
	// HeapAllowance is for the Events that client-go remembers for up to 12 minutes, and for
	// the buffers of connections, in bytes.
	HeapAllowance = 8 << 20
	// HeapPerJob is for what the operator remembers of each Job that was deleted, in bytes:
	// the last 4,000 Jobs, 4,000 completed Jobs, and 20,000 recorded failures and pods.
	HeapPerJob = 4 << 10
	// GoroutineAllowance and FileAllowance are for connections that happen to be open.
	GoroutineAllowance = 20
	FileAllowance      = 10
)

// Usage is what a replica uses at rest.
type Usage struct {
	// Round and Jobs say when it was measured: after how many rounds and Jobs.
	Round, Jobs int
	// Heap is the size of the live objects in bytes.
	Heap float64
	// Goroutines and Files count the goroutines and the open files.
	Goroutines, Files float64
}

func (u Usage) String() string {
	return fmt.Sprintf("round %d, %d jobs: heap %.1f MiB, %.0f goroutines, %.0f open files", u.Round, u.Jobs, u.Heap/(1<<20), u.Goroutines, u.Files)
}

// Lowest returns the lower one of each value of two usages.
func (u Usage) Lowest(v Usage) Usage {
	u.Heap, u.Goroutines, u.Files = min(u.Heap, v.Heap), min(u.Goroutines, v.Goroutines), min(u.Files, v.Files)
	return u
}

// Replica is a process in a role. A standby that becomes the leader uses more.
type Replica struct {
	PID    int
	Leader bool
}

func (r Replica) String() string {
	if r.Leader {
		return fmt.Sprintf("leader %d", r.PID)
	}
	return fmt.Sprintf("standby %d", r.PID)
}

// Growth holds what each replica that still runs used after each round.
type Growth map[Replica][]Usage

// Add adds what all replicas use now.
func (g Growth) Add(measured map[Replica]Usage) {
	maps.DeleteFunc(g, func(r Replica, _ []Usage) bool { _, runs := measured[r]; return !runs })
	for r, u := range measured {
		g[r] = append(g[r], u)
	}
}

// Comparable reports whether a replica has run long enough to be compared.
func (g Growth) Comparable() bool {
	return slices.ContainsFunc(slices.Collect(maps.Values(g)), isComparable)
}

// isComparable reports whether a replica was measured twice. It was still warming up in the
// round in which it started or changed its role, so that round does not count.
func isComparable(usages []Usage) bool { return len(usages) > 2 }

// warm returns the index of the measurement to compare with: the one in the middle. In a
// long run, what is remembered for some minutes no longer grows then.
func warm(usages []Usage) int { return len(usages) / 2 }

// Problems returns the replicas that have grown more than is allowed in the second half of
// their measurements, sorted.
func (g Growth) Problems() []string {
	var problems []string
	for r, usages := range g {
		if !isComparable(usages) {
			continue
		}
		first, last := usages[warm(usages)], usages[len(usages)-1]
		heap := HeapAllowance + float64(HeapPerJob*(last.Jobs-first.Jobs))
		if last.Heap > first.Heap+heap || last.Goroutines > first.Goroutines+GoroutineAllowance || last.Files > first.Files+FileAllowance {
			problems = append(problems, fmt.Sprintf("%s has grown:\n%s\n%s", r, first, last))
		}
	}
	if !g.Comparable() {
		problems = append(problems, "no replica has run long enough to be compared")
	}
	slices.Sort(problems)
	return problems
}

func (g Growth) String() string {
	var lines []string
	for r, usages := range g {
		for _, u := range usages {
			lines = append(lines, fmt.Sprintf("%s, %s", r, u))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
