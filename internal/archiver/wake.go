// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const (
	// wakeInterval is how often records are woken up.
	wakeInterval = 50 * time.Millisecond
	// No record is woken up while maxQueued requests wait in the controller's queue. So other work
	// waits behind at most that many of them.
	maxQueued = 100
)

// workQueue is the queue of a controller.
type workQueue interface {
	Add(request reconcile.Request)
	// Len returns how many requests wait.
	Len() int
}

// Wake adds the records whose state has changed to the queue of their controller until the
// context ends. They give way to other work: while the queue is longer than maxQueued, none is
// added.
func (a *Archiver) Wake(ctx context.Context, q workQueue) {
	ticker := time.NewTicker(wakeInterval)
	defer ticker.Stop()
	for {
		for _, item := range a.nextWakes(maxQueued - q.Len()) {
			q.Add(reconcile.Request{NamespacedName: item.Key})
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// nextWakes removes and returns up to n records to wake up.
func (a *Archiver) nextWakes(n int) []Item {
	a.mu.Lock()
	defer a.mu.Unlock()
	n = max(0, min(n, len(a.wakes)))
	next := a.wakes[:n:n]
	if a.wakes = a.wakes[n:]; len(a.wakes) == 0 {
		a.wakes = nil
	}
	return next
}
