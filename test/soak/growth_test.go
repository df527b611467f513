// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Allowances for the growth of a replica between two measurements of an empty cluster.
const (
	// heapAllowance is for buffers that grow with the load, such as those of connections.
	heapAllowance = 4 << 20
	// heapPerJob is for what the operator remembers of each Job that was deleted: the last
	// 4,000 Jobs, 4,000 completed Jobs and 20,000 recorded failures.
	heapPerJob = 4 << 10
	// goroutineAllowance and fileAllowance are for connections that happen to be open.
	goroutineAllowance = 20
	fileAllowance      = 10
)

// usage is what a replica uses at rest.
type usage struct {
	// round and jobs say when it was measured: after how many rounds and Jobs.
	round, jobs             int
	heap, goroutines, files float64
}

func (u usage) String() string {
	return fmt.Sprintf("round %d, %d jobs: heap %.1f MiB, %.0f goroutines, %.0f open files", u.round, u.jobs, u.heap/(1<<20), u.goroutines, u.files)
}

// role identifies a process while it leads, or while it does not.
type role struct {
	pid   int
	leads bool
}

func (r role) String() string {
	if r.leads {
		return fmt.Sprintf("leader %d", r.pid)
	}
	return fmt.Sprintf("standby %d", r.pid)
}

// measurements is how often a measurement is repeated. The lowest values count, since
// requests that are still answered add to the others.
const measurements = 5

// measure returns what each replica uses.
func (s *soak) measure(ctx context.Context) (map[role]usage, error) {
	lowest := map[role]usage{}
	for range measurements {
		replicas, err := s.awaitReplicas(ctx, nil)
		if err != nil {
			return nil, err
		}
		for _, r := range replicas {
			if err := r.collectGarbage(ctx); err != nil {
				return nil, err
			}
			if err := r.readMetrics(ctx); err != nil {
				return nil, err
			}
			u := usage{
				jobs: s.tally.of("jobs"),
				heap: r.gauge("go_memstats_heap_alloc_bytes"), goroutines: r.gauge("go_goroutines"), files: r.gauge("process_open_fds"),
			}
			as := role{r.process.PID(), r.leads()}
			if before, known := lowest[as]; known {
				u.heap, u.goroutines, u.files = min(u.heap, before.heap), min(u.goroutines, before.goroutines), min(u.files, before.files)
			}
			lowest[as] = u
		}
		if err := pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
	return lowest, nil
}

// growth holds what each replica that still runs used after each round.
type growth map[role][]usage

func (g growth) add(round int, measured map[role]usage) {
	maps.DeleteFunc(g, func(as role, _ []usage) bool { _, runs := measured[as]; return !runs })
	for as, u := range measured {
		u.round = round
		g[as] = append(g[as], u)
	}
}

// compared returns the first and the last measurement of each replica. A replica was warming
// up in the round in which it started, so that round does not count.
func (g growth) compared() map[role][2]usage {
	pairs := map[role][2]usage{}
	for as, usages := range g {
		if len(usages) > 2 {
			pairs[as] = [2]usage{usages[1], usages[len(usages)-1]}
		}
	}
	return pairs
}

// problems returns the replicas that have grown more than is allowed.
func (g growth) problems() []string {
	var problems []string
	for as, pair := range g.compared() {
		first, last := pair[0], pair[1]
		heap := heapAllowance + float64(heapPerJob*(last.jobs-first.jobs))
		if last.heap > first.heap+heap || last.goroutines > first.goroutines+goroutineAllowance || last.files > first.files+fileAllowance {
			problems = append(problems, fmt.Sprintf("%s has grown:\n%s\n%s", as, first, last))
		}
	}
	if len(g.compared()) == 0 {
		problems = append(problems, "no replica ran long enough to be compared")
	}
	return problems
}

func (g growth) String() string {
	var lines []string
	for as, usages := range g {
		for _, u := range usages {
			lines = append(lines, fmt.Sprintf("%s, %s", as, u))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
