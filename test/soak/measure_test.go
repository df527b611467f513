// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"time"

	"joberror.io/operator/test/soak/growth"
)

// measurements is how often a measurement is repeated. The lowest values count, since
// requests that are still answered add to the others.
const measurements = 5

// measure returns what each replica uses after a round.
func (s *soak) measure(ctx context.Context, round int) (map[growth.Replica]growth.Usage, error) {
	lowest := map[growth.Replica]growth.Usage{}
	for range measurements {
		replicas, err := s.awaitReplicas(ctx, nil)
		if err != nil {
			return nil, err
		}
		for _, r := range replicas {
			if err := r.collectGarbage(ctx, round); err != nil {
				return nil, err
			}
			if err := r.readMetrics(ctx); err != nil {
				return nil, err
			}
			u := growth.Usage{
				Round: round, Jobs: s.tally.of("jobs"),
				Heap: r.gauge("go_memstats_heap_alloc_bytes"), Goroutines: r.gauge("go_goroutines"), Files: r.gauge("process_open_fds"),
			}
			as := growth.Replica{PID: r.process.PID(), Leader: r.leads()}
			if before, known := lowest[as]; known {
				u = u.Lowest(before)
			}
			lowest[as] = u
		}
		if err := pause(ctx, time.Second); err != nil {
			return nil, err
		}
	}
	return lowest, nil
}
