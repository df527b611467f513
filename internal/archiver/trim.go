// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"context"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Release holds the records that may be deleted.
type Release struct {
	// Written holds the records that are in the archive, in the version that may be deleted.
	Written []*joberrorv1.JobError
	// Lost holds records that are not in the archive. They may be deleted because too many wait.
	Lost []*joberrorv1.JobError
	// Failed is set if the store has failed, now or a moment ago.
	Failed bool
	// Err says why the records could not be read.
	Err error
}

// WriteNow writes records of a scope that are deleted before they expire. surplus is how many
// records the scope has above its limit. Records that are not released stay for now.
func (a *Archiver) WriteNow(ctx context.Context, scope string, errs []*joberrorv1.JobError, surplus int) Release {
	a.writing.Lock()
	defer a.writing.Unlock()
	if a.pauses() {
		return Release{Lost: a.giveUp(scope, errs, surplus), Failed: true}
	}
	items := make([]Item, len(errs))
	for i, je := range errs {
		items[i] = itemOf(je, time.Time{})
	}
	read, err := a.read(ctx, items)
	if err != nil || len(read.entries) == 0 {
		return Release{Err: err}
	}
	written, err := a.store(ctx, read.entries)
	if ctx.Err() != nil {
		return Release{Err: ctx.Err()}
	}
	a.mu.Lock()
	a.queue.observe(len(written) > 0, err != nil, a.Clock.Now())
	a.mu.Unlock()
	if err != nil && len(written) == 0 {
		return Release{Lost: a.giveUp(scope, errs, surplus), Failed: true}
	}
	release := Release{Failed: err != nil}
	for _, e := range written {
		release.Written = append(release.Written, e.Error)
	}
	a.Hold(scope, surplus-len(written))
	return release
}

// pauses reports whether the store failed so recently that it is not called yet.
func (a *Archiver) pauses() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queue.notBefore.After(a.Clock.Now())
}

// Hold sets how many records of a scope wait outside the queue.
func (a *Archiver) Hold(scope string, surplus int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.setHeld(scope, surplus)
}

func (a *Archiver) setHeld(scope string, n int) {
	if n <= 0 {
		delete(a.held, scope)
		return
	}
	a.held[scope] = n
}

// giveUp returns the first records of a scope that exceed the backlog while the store is down.
func (a *Archiver) giveUp(scope string, errs []*joberrorv1.JobError, surplus int) []*joberrorv1.JobError {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.setHeld(scope, surplus)
	excess := a.queue.count + a.heldBack() - a.Backlog
	if a.Backlog == 0 || excess <= 0 || !a.queue.hasFailed(a.queue.failing, a.Clock.Now()) {
		return nil
	}
	n := min(excess, len(errs))
	a.setHeld(scope, surplus-n)
	return errs[:n]
}
