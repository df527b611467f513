// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
)

const (
	// leastSlices and mostInSlice say into how many slices a floor is cut, and
	// how many errors a slice has at most: a few seconds' work.
	minSlices    = 10
	maxSliceSize = 500
)

// turns lets an operation and the slices of its floor alternate, for as long as
// each other: an API server gets slower and faster by a quarter within a
// minute, and both are to meet it alike. While a slice is written the operator
// is paused, and so is whoever reports errors to it.
type turns struct {
	*bench
	n       int
	floor   *floor
	write   func(context.Context, *joberrorv1.JobError) error
	pending []span
	taken   []timing
	// since is when the operation went on, and paused how long it stood still
	// so far.
	resumedAt time.Time
	paused    time.Duration
}

func (b *bench) newTurns(f *floor, n int, s span, write func(context.Context, *joberrorv1.JobError) error) *turns {
	return &turns{bench: b, n: n, floor: f, write: write, pending: s.slices(min(s.size()/minSlices, maxSliceSize))}
}

// slices cuts a span into spans of a size.
func (s span) slices(size int) []span {
	var slices []span
	for from := s.from; from < s.to; from += size {
		slices = append(slices, span{from, min(from+size, s.to)})
	}
	return slices
}

// begin is the turn of the first slice.
func (t *turns) begin(ctx context.Context) error {
	err := t.slice(ctx)
	t.resumedAt = time.Now()
	return err
}

// next is the floor's turn, where the operation had its own. The last slice is
// kept for the end.
func (t *turns) next(ctx context.Context) (err error) {
	if len(t.pending) < 2 || time.Since(t.resumedAt) < t.taken[len(t.taken)-1].took {
		return nil
	}
	began := time.Now()
	t.reportGate.Lock()
	defer t.reportGate.Unlock()
	if err := t.operator.Pause(); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, t.operator.Resume())
		t.resumedAt = time.Now()
		t.paused += t.resumedAt.Sub(began)
	}()
	return t.slice(ctx)
}

// expected is how long the floor takes for all errors, by what was written of it
// so far.
func (t *turns) expected() time.Duration {
	var all timing
	for _, p := range t.taken {
		all.errors, all.took = all.errors+p.errors, all.took+p.took
	}
	return all.took * time.Duration(t.n) / time.Duration(all.errors)
}

// finish writes the slices that are left.
func (t *turns) finish(ctx context.Context) error {
	for len(t.pending) > 0 {
		if err := t.slice(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *turns) slice(ctx context.Context) error {
	p, err := t.floor.timeWrites(ctx, t.pending[0], t.write)
	t.pending, t.taken = t.pending[1:], append(t.taken, p)
	return err
}
