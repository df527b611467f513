// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/resolution"
)

const (
	// resolutionWorkers is how many entries are worked through at a time. They
	// share the writes in flight, so that a small one is not kept waiting by
	// large ones.
	resolutionWorkers = 64
	// progressInterval is how often a long entry's status is written.
	progressInterval = time.Second
)

// +kubebuilder:rbac:groups=joberror.io,resources=joberrorresolutions,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=joberror.io,resources=joberrorresolutions/status,verbs=patch

// JobErrorResolutionReconciler works each entry through, once, and deletes it
// when its time is over. It writes spec.resolved of the errors; their status
// is left to the JobErrorReconciler, so that every path ends alike.
type JobErrorResolutionReconciler struct {
	environment
}

// Reconcile works one entry through. One that was interrupted goes on where it
// stood: what is to be done is read anew, and what was done shows it.
func (r *JobErrorResolutionReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	entry := &joberrorv1.JobErrorResolution{}
	if err := r.cached.Get(ctx, req.NamespacedName, entry); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !entry.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	return resultOf(r.reconcile(ctx, entry))
}

// reconcile returns how long the entry has left.
func (r *JobErrorResolutionReconciler) reconcile(ctx context.Context, entry *joberrorv1.JobErrorResolution) (time.Duration, error) {
	expiresAt := r.Retention.EntryExpiresAt(entry)
	left := expiresAt.Sub(r.clock.Now())
	if left <= 0 {
		return 0, r.expire(ctx, entry, expiresAt)
	}
	if entry.Status.StartedAt != nil && !resolution.Complete(entry) {
		// The cache may not have the end of it yet.
		if err := r.live.Get(ctx, client.ObjectKeyFromObject(entry), entry); err != nil {
			return 0, stale(err)
		}
	}
	if resolution.Complete(entry) {
		return left, nil
	}
	return left, r.work(ctx, entry)
}

// work sets the errors that the entry is about and completes it.
func (r *JobErrorResolutionReconciler) work(ctx context.Context, entry *joberrorv1.JobErrorResolution) error {
	ref, err := jobref.Resolve(ctx, r.cached, entry.Namespace, entry.Spec.JobID)
	if err != nil {
		return err
	}
	snapshot := entry.Status.SnapshotResourceVersion
	if snapshot == "" {
		snapshot = entry.ResourceVersion
	}
	targets, err := r.targets(ctx, entry, ref, snapshot)
	if err != nil {
		return err
	}
	tally := resolution.NewTally(entry, r.clock.Now())
	progress := func() error { return r.writeStatus(ctx, entry, tally.Progress(r.clock.Now()), snapshot) }
	if err := r.fanOut(ctx, entry.DeepCopy(), ref, targets, snapshot, tally, progress); err != nil {
		return err
	}
	if err := r.writeStatus(ctx, entry, tally.Completed(r.clock.Now()), snapshot); err != nil {
		return err
	}
	r.announce(entry, ref)
	return nil
}

func (r *JobErrorResolutionReconciler) writeStatus(ctx context.Context, entry *joberrorv1.JobErrorResolution, status joberrorv1.JobErrorResolutionStatus, snapshot string) error {
	before := entry.DeepCopy()
	status.SnapshotResourceVersion = snapshot
	status.ExpiresAt = &metav1.Time{Time: r.Retention.EntryExpiresAt(entry)}
	entry.Status = status
	return stale(r.cached.Status().Patch(ctx, entry, from(before)))
}
