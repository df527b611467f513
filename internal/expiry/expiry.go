// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package expiry deletes what is past its retention, unless that would be a mistake.
package expiry

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"joberror.io/operator/internal/metrics"
)

// logInterval is the time between two log lines about deleted objects.
const logInterval = time.Minute

// Deleter deletes the expired objects of one kind, if its Guard agrees. It runs on the leader
// and logs how many it deleted once a minute: thousands may expire at the same time.
type Deleter struct {
	kind   string
	client client.Writer
	guard  *Guard

	deleted atomic.Int64
}

// NewDeleter returns a Deleter for the objects of a kind.
func NewDeleter(kind string, writer client.Writer, guard *Guard) *Deleter {
	return &Deleter{kind: kind, client: writer, guard: guard}
}

// Delete deletes an expired object, unless it is held back: then it returns when to try
// again. The UID precondition keeps it from deleting a later object with the same name.
func (d *Deleter) Delete(ctx context.Context, obj client.Object, e Expiry) (wait time.Duration, err error) {
	wait, cause, err := d.Decide(ctx, e)
	if wait > 0 || err != nil {
		return wait, err
	}
	uid := obj.GetUID()
	return 0, d.remove(ctx, obj, e, cause, client.Preconditions{UID: &uid})
}

// Decide returns 0 if an expired object may be deleted now, and the cause if its expiry is
// unexpected. Otherwise it returns how long to wait before the next decision.
func (d *Deleter) Decide(ctx context.Context, e Expiry) (wait time.Duration, cause Cause, err error) {
	return d.guard.Decide(ctx, e)
}

// DeleteVersion deletes an object that was decided on before, unless it has changed. The caller
// counts an unexpected expiry.
func (d *Deleter) DeleteVersion(ctx context.Context, obj client.Object, e Expiry) error {
	uid, version := obj.GetUID(), obj.GetResourceVersion()
	return d.remove(ctx, obj, e, "", client.Preconditions{UID: &uid, ResourceVersion: &version})
}

func (d *Deleter) remove(ctx context.Context, obj client.Object, e Expiry, cause Cause, only client.Preconditions) error {
	if err := d.client.Delete(ctx, obj, only); err != nil {
		return fmt.Errorf("delete expired %s: %w", d.kind, err)
	}
	d.deleted.Add(1)
	if cause != "" {
		metrics.ExpiredUnexpectedly(d.kind, string(cause))
	}
	log.FromContext(ctx).V(1).Info("Deleted an expired object", "kind", d.kind, "expiresAt", e.At, "unexpected", cause)
	return nil
}

// Start logs how many objects were deleted, and refreshes the metrics of the Guard, until
// ctx ends.
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
			if err := d.guard.Refresh(ctx); err != nil {
				log.FromContext(ctx).Error(err, "The metrics of held back objects are not refreshed", "kind", d.kind)
			}
		}
	}
}

func (d *Deleter) logDeleted(ctx context.Context) {
	if n := d.deleted.Swap(0); n > 0 {
		log.FromContext(ctx).Info("Deleted expired objects", "kind", d.kind, "count", n)
	}
}
