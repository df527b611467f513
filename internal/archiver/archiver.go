// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package archiver writes JobErrors to the archive before they are deleted. A record is deleted
// only after the store has acknowledged exactly the version that is deleted.
//
// The queue is in memory, and a leader that stops does not empty it. The records that it did not
// write are still in the cluster and expired, and the next leader finds them.
package archiver

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
	"joberror.io/operator/internal/metrics"
)

// tick is how often the archiver looks for a batch to write.
const tick = 250 * time.Millisecond

// Store is where records are archived.
type Store interface {
	// Write stores the entries and returns those that are stored for certain.
	Write(ctx context.Context, cluster types.UID, entries []archive.Entry) ([]archive.Entry, error)
}

// Archiver writes expired records in batches. Only the leader runs it.
type Archiver struct {
	Options
	Store Store
	// Cached reads the metadata of namespaces from the cache.
	Cached client.Reader
	// APIReader reads whole records. Those in the cache have only some of their fields.
	APIReader client.Reader
	Clock     clock.PassiveClock
	// Recorder writes Events about Object.
	Recorder events.EventRecorder
	Object   runtime.Object

	// writing is held while a batch is read and written. There is only one at a time.
	writing sync.Mutex
	// cluster is known once a batch was read.
	cluster types.UID

	mu    sync.Mutex
	queue *queue
	// held is how many records of each scope wait outside the queue.
	held map[string]int
	// wakes holds the records to hand to their controller.
	wakes []Item
	// problem holds the last error of the store, truncated to maxProblem bytes.
	problem string
	losses  losses
}

// New returns an Archiver. The caller sets its exported fields before the manager starts.
func New(options Options, store Store) *Archiver {
	return &Archiver{Options: options, Store: store, queue: newQueue(options.Interval, options.Backlog), held: map[string]int{}}
}

// Add adds an expired record to the queue, unless this version is in it, and returns its state.
func (a *Archiver) Add(je *joberrorv1.JobError, expiresAt time.Time) State {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queue.add(itemOf(je, expiresAt), a.Clock.Now())
}

func itemOf(je *joberrorv1.JobError, expiresAt time.Time) Item {
	return Item{Key: client.ObjectKeyFromObject(je), UID: je.UID, Version: je.ResourceVersion, ExpiresAt: expiresAt}
}

// State returns the state of a version of a record.
func (a *Archiver) State(je *joberrorv1.JobError) State {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.queue.stateOf(je.UID, je.ResourceVersion)
}

// Forget removes a record that is deleted, or that no longer expires.
func (a *Archiver) Forget(uid types.UID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.queue.forget(uid)
}

// Problem returns why a record has waited for longer than usual; empty if it has not.
func (a *Archiver) Problem(uid types.UID) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if w, known := a.queue.items[uid]; known && w.state == Waiting && w.announced {
		return a.problem
	}
	return ""
}

// Start runs the archiver until the context ends. It does not empty the queue then.
func (a *Archiver) Start(ctx context.Context) error {
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			a.turn(ctx)
		}
	}
}

// turn writes a batch if one is due, and gives up the records that there is no room for.
func (a *Archiver) turn(ctx context.Context) {
	a.mu.Lock()
	b := a.queue.next(a.Clock.Now())
	a.mu.Unlock()
	if b != nil {
		a.write(ctx, b)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.Clock.Now()
	a.wakes = append(a.wakes, a.queue.review(a.heldBack(), now)...)
	a.announceLost(ctx, now)
	metrics.SetArchiveBacklog(a.queue.count+a.heldBack(), a.queue.oldest())
}

// heldBack returns how many records wait outside the queue.
func (a *Archiver) heldBack() int {
	n := 0
	for _, held := range a.held {
		n += held
	}
	return n
}
