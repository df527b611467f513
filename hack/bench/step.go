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
	// prepare is not part of it.
	prepare func(context.Context) error
	// start is its beginning, and returns when that was: now where it is nil.
	start func(context.Context) (time.Time, error)
	// request is what somebody asks for then; the operation is not over before
	// that is.
	request func(context.Context) error
	// check tells what is not done yet.
	check func(context.Context) (string, error)
	// bare is the floor's way to do it, to errors of these numbers.
	floorWrite func(context.Context, *joberrorv1.JobError) error
	span       span
}

// measure runs a step, by turns with its floor.
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

// perform returns when the operation began, and when the operator had no more
// to do.
func (b *bench) perform(ctx context.Context, s step, t *turns) (began, ended time.Time, err error) {
	began = time.Now()
	if s.start != nil {
		if began, err = s.start(ctx); err != nil {
			return began, ended, err
		}
	}
	answered := make(chan error, 1)
	asking := s.request != nil
	if asking {
		go func() { answered <- s.request(ctx) }()
	}
	// To ask the operator whether it is done costs it something, so it is not
	// asked before that can be.
	for asking || time.Since(began)-t.paused < t.expected()*8/10 {
		select {
		case err := <-answered:
			asking = false
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
