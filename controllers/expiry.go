// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/metrics"
)

// expire deletes a record whose time is over. The UID precondition keeps it
// from deleting a later object of the same name.
func (e *environment) expire(ctx context.Context, obj client.Object, expiresAt time.Time) error {
	uid := obj.GetUID()
	err := e.cached.Delete(ctx, obj, client.Preconditions{UID: &uid})
	if err == nil {
		if _, ok := obj.(*joberrorv1.JobError); ok {
			metrics.Expired(obj.GetNamespace())
		}
		log.FromContext(ctx).V(1).Info("Deleted: its time is over", "expiresAt", expiresAt)
	}
	return stale(err)
}

// fillCreatedAt makes up for a createdAt that admission, being down, did not
// fill in.
func fillCreatedAt(je *joberrorv1.JobError) {
	if je.Spec.CreatedAt == "" {
		je.Spec.CreatedAt = je.CreationTimestamp.UTC().Format(time.RFC3339)
	}
}
