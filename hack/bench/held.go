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

	"joberror.io/operator/hack/controlplane"
)

const (
	// idleTime is how long an idle operator is observed.
	idleTime = time.Minute
	// settleTime is how long the Go runtime gets to return memory to the system after
	// a garbage collection.
	settleTime = 10 * time.Second
)

// memoryLimit returns the limit of the operator's container, in bytes: the one in
// config/manager/deployment.yaml, or the one that docs/operations.md advises for this many
// errors if it is larger.
func memoryLimit(held int) uint64 { return max(1<<30, 100<<20+6<<10*uint64(held)) }

// heldResult holds the cost of holding a number of errors or Jobs.
type heldResult struct {
	errors, jobs int
	// ownJobs means that each error has a Job of its own.
	ownJobs          bool
	heap, rss, peak  uint64
	ready, firstPass time.Duration
	idleCPU          float64
	idleWrites       writes
	perItem          int64
	// apiServer and etcd are the resident memory of those processes after they started
	// with the errors present and the operator read them all.
	apiServer, etcd uint64
}

// holding measures an operator that starts with many existing errors and has nothing
// to do.
func (b *bench) holding(ctx context.Context, r *results) error {
	if err := b.holdSizes(ctx, r, append([]int{0}, b.held...), false); err != nil {
		return err
	}
	if err := b.holdSizes(ctx, r, b.heldOwn, true); err != nil {
		return err
	}
	return b.stopOperator()
}

// holdSizes measures an operator that starts with these numbers of errors. If there are
// none, it also measures one that holds Jobs.
func (b *bench) holdSizes(ctx context.Context, r *results, sizes []int, ownJobs bool) error {
	if len(sizes) == 0 {
		return nil
	}
	seeder, err := b.newSeeder(ctx, ownJobs)
	if err != nil {
		return err
	}
	defer seeder.close()
	for _, n := range sizes {
		if err := seeder.fill(ctx, n); err != nil {
			return err
		}
		if err := errors.Join(b.stopOperator(), b.restartServers(ctx)); err != nil {
			return err
		}
		if err := seeder.waitServed(ctx); err != nil {
			return err
		}
		if err := b.measureHeld(ctx, r, heldResult{errors: n, ownJobs: ownJobs}); err != nil {
			return err
		}
		if n == 0 {
			if err := b.holdJobs(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// holdJobs measures an operator that holds running Jobs with a pod each, and no
// errors.
func (b *bench) holdJobs(ctx context.Context, r *results) error {
	ns, _, err := b.namespace(ctx, "running", "")
	if err != nil {
		return err
	}
	if err := b.jobsWithPods(ctx, ns.Name, b.jobs, false); err != nil {
		return err
	}
	return errors.Join(b.measureHeld(ctx, r, heldResult{jobs: b.jobs}), b.deleteJobs(ctx, ns.Name))
}

// measureHeld restarts the operator and measures it.
func (b *bench) measureHeld(ctx context.Context, r *results, h heldResult) error {
	logf("holding %d errors and %d Jobs", h.errors, h.jobs)
	if err := b.stopOperator(); err != nil {
		return err
	}
	// In its container, the operator sets the limit of the Go runtime to 90 %.
	b.OperatorEnv = []string{fmt.Sprintf("GOMEMLIMIT=%d", memoryLimit(h.errors)*9/10)}
	began := time.Now()
	ready, err := b.launch(ctx)
	if err != nil {
		return err
	}
	h.ready = ready.Sub(began)
	settled, err := b.waitIdle(ctx, func(ctx context.Context) (string, error) {
		// The controllers start a moment after the caches are filled.
		const reconciled = "controller_runtime_reconcile_total"
		metrics, err := b.operatorMetrics(ctx, reconciled)
		if err != nil || metrics.sum(reconciled) >= float64(h.errors) {
			return "", err
		}
		return "not every error has been reconciled yet", nil
	})
	if err != nil {
		return err
	}
	h.firstPass = settled.Sub(began)
	if err := b.WaitServing(ctx, b.operator); err != nil {
		return err
	}
	if err := b.memory(ctx, &h); err != nil {
		return err
	}
	if err := b.idle(ctx, &h); err != nil {
		return err
	}
	r.addHeld(h)
	return nil
}

// memory collects garbage, gives the runtime time to return memory, and reads the
// memory in use.
func (b *bench) memory(ctx context.Context, h *heldResult) error {
	if err := b.takeProfile(ctx, fmt.Sprintf("heap-%d-%d", h.errors, h.jobs), "heap?gc=1"); err != nil {
		return err
	}
	const heap = "go_memstats_heap_alloc_bytes"
	metrics, err := b.operatorMetrics(ctx, heap)
	if err != nil {
		return err
	}
	h.heap = uint64(metrics.sum(heap))
	if err := sleep(ctx, settleTime); err != nil {
		return err
	}
	for _, size := range []struct {
		process *controlplane.Process
		field   string
		target  *uint64
	}{
		{b.operator, "VmRSS", &h.rss}, {b.operator, "VmHWM", &h.peak},
		{b.Process("kube-apiserver"), "VmRSS", &h.apiServer}, {b.Process("etcd"), "VmRSS", &h.etcd},
	} {
		if *size.target, err = processMemory(size.process, size.field); err != nil {
			return err
		}
	}
	return nil
}

// restartServers restarts etcd and the API server, so that what earlier measurements left
// in their memory does not count.
func (b *bench) restartServers(ctx context.Context) error {
	// The API server waits for watches to end, which are many.
	b.Process("kube-apiserver").Kill()
	if err := b.Process("etcd").Stop(); err != nil {
		return err
	}
	return errors.Join(b.Restart(ctx, "etcd"), b.Restart(ctx, "kube-apiserver"))
}

// processMemory reads a size from a process's status file in /proc.
func processMemory(process *controlplane.Process, field string) (uint64, error) {
	path := fmt.Sprintf("/proc/%d/status", process.PID())
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(data)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			kilobytes, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("read the memory of %s: %s has no %s", process.Name, path, field)
}

// idle measures an operator that has nothing to do.
func (b *bench) idle(ctx context.Context, h *heldResult) error {
	writesBefore, err := b.countWrites(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	used, err := b.cpuTime(ctx, func() error { return sleep(ctx, idleTime) })
	if err != nil {
		return err
	}
	h.idleCPU = used.Seconds() / time.Since(began).Seconds()
	writesAfter, err := b.countWrites(ctx)
	h.idleWrites = writesAfter.since(writesBefore)
	return err
}
