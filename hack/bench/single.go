// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

const (
	// samples is the number of single requests of each kind to time.
	samples = 500
	// bulkSize is the number of errors that a bulk resolve in another namespace
	// resolves while single requests are timed.
	bulkSize = 10000
)

var resolvePatch = client.RawPatch(types.MergePatchType, []byte(`{"spec":{"resolved":true}}`))

// single measures one request after another: while nothing else runs, and during a
// bulk resolve in another namespace.
func (b *bench) single(ctx context.Context, r *results) error {
	logf("single requests")
	if err := b.ensureOperator(ctx); err != nil {
		return err
	}
	ns, _, err := b.namespace(ctx, "single", "nightly")
	if err != nil {
		return err
	}
	if err := b.reportErrors(ctx, ns.Name, "nightly", 2*samples); err != nil {
		return err
	}
	if _, err := b.waitIdle(ctx, b.allMatch(ns.Name, "nightly", 2*samples, observed)); err != nil {
		return err
	}
	patch, put := latency{name: "patch, directly"}, latency{name: "PUT, through the aggregated API"}
	for i := range samples {
		if err := patch.measure(func() error { return b.admin.Patch(ctx, jobError(ns.Name, "nightly", 2*i), resolvePatch) }); err != nil {
			return err
		}
		name := jobError(ns.Name, "nightly", 2*i+1).Name
		if err := put.measure(func() error { return b.put(ctx, ns.Name, "nightly", name+"/resolve") }); err != nil {
			return err
		}
	}
	r.alone = []latency{patch, put}
	r.duringBulk, err = b.duringBulk(ctx)
	return err
}

// duringBulk makes single requests until the bulk resolve in another namespace has
// finished. It waits until each one is reconciled.
func (b *bench) duringBulk(ctx context.Context) ([]latency, error) {
	busy, _, err := b.namespace(ctx, "busy", "nightly")
	if err != nil {
		return nil, err
	}
	quiet, _, err := b.namespace(ctx, "quiet", "small")
	if err != nil {
		return nil, err
	}
	logf("single requests during a bulk resolve of %d errors", bulkSize)
	if err := b.reportErrors(ctx, busy.Name, "nightly", bulkSize); err != nil {
		return nil, err
	}
	if err := b.reportErrors(ctx, quiet.Name, "small", 2*samples); err != nil {
		return nil, err
	}
	if _, err := b.waitIdle(ctx, b.allMatch(busy.Name, "nightly", bulkSize, observed)); err != nil {
		return nil, err
	}
	bulk := make(chan error, 1)
	go func() {
		err := b.put(ctx, busy.Name, "nightly", "resolve")
		if err == nil {
			_, err = b.waitIdle(ctx, b.allMatch(busy.Name, "nightly", bulkSize, resolved))
		}
		bulk <- err
	}()
	rows := []latency{{name: "a new error, until its first status"}, {name: "a patch, until the status follows"}, {name: "a PUT of one error, until it is answered and the status follows"}}
	for i := range samples {
		for kind, do := range []func() error{
			func() error { return b.admin.Create(ctx, jobError(quiet.Name, "new", i)) },
			func() error { return b.admin.Patch(ctx, jobError(quiet.Name, "small", 2*i), resolvePatch) },
			func() error { return b.put(ctx, quiet.Name, "small", jobError("", "small", 2*i+1).Name+"/resolve") },
		} {
			name := []string{jobError("", "new", i).Name, jobError("", "small", 2*i).Name, jobError("", "small", 2*i+1).Name}[kind]
			err := rows[kind].measure(func() error {
				if err := do(); err != nil {
					return err
				}
				return b.waitObserved(ctx, quiet.Name, name)
			})
			if err != nil {
				return nil, err
			}
		}
		select {
		case err := <-bulk:
			return rows, err
		default:
		}
	}
	return rows, <-bulk
}

// waitObserved waits until the operator has observed an error's current spec.
func (b *bench) waitObserved(ctx context.Context, namespace, name string) error {
	for {
		je := &joberrorv1.JobError{}
		if err := b.admin.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, je); err != nil {
			return err
		}
		if je.Status.ObservedGeneration == je.Generation {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", name, ctx.Err())
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// latency holds how long single requests of one kind took.
type latency struct {
	name string
	took []time.Duration
}

func (l *latency) measure(f func() error) error {
	began := time.Now()
	err := f()
	l.took = append(l.took, time.Since(began))
	return err
}

// percentile returns the time that p percent of the requests did not exceed.
func (l *latency) percentile(p int) time.Duration {
	sorted := slices.Sorted(slices.Values(l.took))
	return sorted[(len(sorted)-1)*p/100]
}
