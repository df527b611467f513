// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"strings"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
)

// step is an operation to measure.
type step struct {
	name string
	// prepare runs before the measurement.
	prepare func(context.Context) error
	// start begins the operation and returns the time when it began. If nil, the
	// operation begins immediately.
	start func(context.Context) (time.Time, error)
	// request runs after start. The operation does not end before request returns.
	request func(context.Context) error
	// check returns a description of the work that is not done yet, or "".
	check func(context.Context) (string, error)
	// floorWrite does the same to one object of the floor, for the errors in span.
	floorWrite func(context.Context, *joberrorv1.JobError) error
	span       span
}

// measure runs a step in turns with its floor.
func (b *bench) measure(ctx context.Context, f *floor, n int, s step) (operation, error) {
	logf("%s", s.name)
	row := operation{name: s.name, n: n}
	if s.prepare != nil {
		if err := s.prepare(ctx); err != nil {
			return row, err
		}
	}
	earlier, err := b.countWrites(ctx)
	if err != nil {
		return row, err
	}
	t := b.newTurns(f, n, s.span, s.floorWrite)
	if err := t.begin(ctx); err != nil {
		return row, err
	}
	err = b.profile(ctx, s.name[:strings.IndexAny(s.name, " ,")], func() error {
		began, ended, err := b.perform(ctx, s, t)
		row.took = ended.Sub(began) - t.paused
		return err
	})
	if err != nil {
		return row, err
	}
	now, err := b.countWrites(ctx)
	if err != nil {
		return row, err
	}
	row.writes = now.since(earlier)
	err = t.finish(ctx)
	row.floor, row.slices = t.expected(), t.taken
	logf("%.2f times its floor", row.took.Seconds()/t.expected().Seconds())
	return row, err
}

// perform runs the operation. It returns the time when the operation began, and the
// time when the operator had nothing more to do.
func (b *bench) perform(ctx context.Context, s step, t *turns) (began, ended time.Time, err error) {
	began = time.Now()
	if s.start != nil {
		if began, err = s.start(ctx); err != nil {
			return began, ended, err
		}
	}
	answered := make(chan error, 1)
	requesting := s.request != nil
	if requesting {
		go func() { answered <- s.request(ctx) }()
	}
	// Asking the operator whether it is done costs it some time, so wait until it may
	// be done.
	for requesting || time.Since(began)-t.paused < t.expected()*8/10 {
		select {
		case err := <-answered:
			requesting = false
			if err != nil {
				return began, ended, err
			}
		case <-time.After(minPoll):
		}
		if err := t.next(ctx); err != nil {
			return began, ended, err
		}
	}
	ended, err = b.waitIdle(ctx, s.check)
	return began, ended, err
}
