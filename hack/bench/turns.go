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
	// minSlices is the minimum number of slices of a floor. maxSliceSize limits the
	// errors in a slice, which takes a few seconds.
	minSlices    = 10
	maxSliceSize = 500
)

// turns alternates between an operation and the slices of its floor, for equal times.
// An API server's speed changes by a quarter within a minute, and both must run under
// the same conditions. While a slice is written, the operator and all reports of errors
// are paused.
type turns struct {
	*bench
	n       int
	floor   *floor
	write   func(context.Context, *joberrorv1.JobError) error
	pending []span
	taken   []timing
	// resumedAt is the time when the operation last continued. paused is how long it has
	// been paused in total.
	resumedAt time.Time
	paused    time.Duration
}

func (b *bench) newTurns(f *floor, n int, s span, write func(context.Context, *joberrorv1.JobError) error) *turns {
	return &turns{bench: b, n: n, floor: f, write: write, pending: s.slices(min(s.size()/minSlices, maxSliceSize))}
}

// slices divides a span into spans of a size.
func (s span) slices(size int) []span {
	var parts []span
	for from := s.from; from < s.to; from += size {
		parts = append(parts, span{from, min(from+size, s.to)})
	}
	return parts
}

// begin writes the first slice and starts the operation's turn.
func (t *turns) begin(ctx context.Context) error {
	err := t.slice(ctx)
	t.resumedAt = time.Now()
	return err
}

// next writes a slice of the floor if the operation has used up its turn. It keeps the
// last slice for the end.
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

// expected returns how long the floor takes for all errors, extrapolated from the
// slices written so far.
func (t *turns) expected() time.Duration {
	var all timing
	for _, p := range t.taken {
		all.errors, all.took = all.errors+p.errors, all.took+p.took
	}
	return all.took * time.Duration(t.n) / time.Duration(all.errors)
}

// finish writes the remaining slices.
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
