// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package expiry deletes what is past its retention.
package expiry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// logInterval is the time between two log lines about deleted objects.
const logInterval = time.Minute

// Deleter deletes objects. It runs on the leader and logs how many it deleted once a
// minute: thousands may expire at the same time.
type Deleter struct {
	client client.Writer

	mu      sync.Mutex
	deleted map[string]int
}

// NewDeleter returns a Deleter.
func NewDeleter(writer client.Writer) *Deleter {
	return &Deleter{client: writer, deleted: map[string]int{}}
}

// Delete deletes an object of a kind. The UID precondition keeps it from deleting a
// later object with the same name.
func (d *Deleter) Delete(ctx context.Context, kind string, obj client.Object, expiresAt time.Time) error {
	uid := obj.GetUID()
	if err := d.client.Delete(ctx, obj, client.Preconditions{UID: &uid}); err != nil {
		return fmt.Errorf("delete expired %s: %w", kind, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.deleted[kind]++
	log.FromContext(ctx).V(1).Info("Deleted an expired object", "kind", kind, "expiresAt", expiresAt)
	return nil
}

// Start logs how many objects were deleted until ctx ends.
func (d *Deleter) Start(ctx context.Context) error {
	ticker := time.NewTicker(logInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			d.logDeleted(ctx)
			return nil
		case <-ticker.C:
			d.logDeleted(ctx)
		}
	}
}

func (d *Deleter) logDeleted(ctx context.Context) {
	for kind, count := range d.take() {
		log.FromContext(ctx).Info("Deleted expired objects", "kind", kind, "count", count)
	}
}

// take returns how many objects of each kind were deleted since the last call.
func (d *Deleter) take() map[string]int {
	d.mu.Lock()
	defer d.mu.Unlock()
	taken := d.deleted
	d.deleted = map[string]int{}
	return taken
}
