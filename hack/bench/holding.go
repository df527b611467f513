// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	// idleTime is how long an idle operator is looked at.
	idleTime = time.Minute
	// settleTime is how long the runtime has to give memory back after a
	// garbage collection.
	settleTime = 10 * time.Second
)

// held is what it costs to hold a number of errors.
type held struct {
	errors, jobs     int
	heap, rss, peak  uint64
	ready, firstPass time.Duration
	idleCPU          float64
	idleWrites       writes
	perItem          int64
}

// holding measures an operator that is started with many errors there and has
// nothing to do.
func (b *bench) holding(ctx context.Context, r *report) error {
	shelf, err := b.newShelf(ctx)
	if err != nil {
		return err
	}
	defer shelf.close()
	for _, n := range append([]int{0}, b.held...) {
		if err := shelf.fill(ctx, n); err != nil {
			return err
		}
		if err := b.hold(ctx, r, held{errors: n}); err != nil {
			return err
		}
		if n == 0 {
			if err := b.holdJobs(ctx, r); err != nil {
				return err
			}
		}
	}
	return b.rest()
}

// holdJobs holds Jobs that go on, with a pod each, and no errors.
func (b *bench) holdJobs(ctx context.Context, r *report) error {
	ns, _, err := b.namespace(ctx, "running", "")
	if err != nil {
		return err
	}
	if err := b.jobsWithPods(ctx, ns.Name, b.jobs, false); err != nil {
		return err
	}
	return errors.Join(b.hold(ctx, r, held{jobs: b.jobs}), b.clear(ctx, ns.Name))
}

// hold starts the operator anew and takes its figures.
func (b *bench) hold(ctx context.Context, r *report, h held) error {
	say("holding %d errors and %d Jobs", h.errors, h.jobs)
	if err := b.rest(); err != nil {
		return err
	}
	began := time.Now()
	ready, err := b.launch(ctx)
	if err != nil {
		return err
	}
	h.ready = ready.Sub(began)
	settled, err := b.done(ctx, func(ctx context.Context) (string, error) {
		// The controllers begin a moment after the caches are filled.
		const reconciled = "controller_runtime_reconcile_total"
		own, err := b.own(ctx, reconciled)
		if err != nil || own.sum(reconciled) >= float64(h.errors) {
			return "", err
		}
		return "not every error was reconciled yet", nil
	})
	if err != nil {
		return err
	}
	h.firstPass = settled.Sub(began)
	if err := b.Serving(ctx, b.operator); err != nil {
		return err
	}
	if err := b.memory(ctx, &h); err != nil {
		return err
	}
	if err := b.idle(ctx, &h); err != nil {
		return err
	}
	r.hold(h)
	return nil
}

// memory collects garbage, gives the runtime time to return it, and reads what
// is left.
func (b *bench) memory(ctx context.Context, h *held) error {
	if err := b.takeProfile(ctx, fmt.Sprintf("heap-%d-%d", h.errors, h.jobs), "heap?gc=1"); err != nil {
		return err
	}
	const heap = "go_memstats_heap_alloc_bytes"
	own, err := b.own(ctx, heap)
	if err != nil {
		return err
	}
	h.heap = uint64(own.sum(heap))
	if err := pause(ctx, settleTime); err != nil {
		return err
	}
	for field, target := range map[string]*uint64{"VmRSS": &h.rss, "VmHWM": &h.peak} {
		if *target, err = b.ofProcess(field); err != nil {
			return err
		}
	}
	return nil
}

// ofProcess reads a size in the operator's status, which Linux has.
func (b *bench) ofProcess(field string) (uint64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", b.operator.PID()))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kilobytes, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("the operator's status has no %s", field)
}

// idle looks at an operator that has nothing to do.
func (b *bench) idle(ctx context.Context, h *held) error {
	writesBefore, err := b.writes(ctx)
	if err != nil {
		return err
	}
	const cpu = "process_cpu_seconds_total"
	before, err := b.own(ctx, cpu)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := pause(ctx, idleTime); err != nil {
		return err
	}
	after, err := b.own(ctx, cpu)
	if err != nil {
		return err
	}
	h.idleCPU = (after.sum(cpu) - before.sum(cpu)) / time.Since(began).Seconds()
	writesAfter, err := b.writes(ctx)
	h.idleWrites = writesAfter.since(writesBefore)
	return err
}
