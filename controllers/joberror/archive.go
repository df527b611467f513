// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archiver"
	"joberror.io/operator/internal/conditions"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/metrics"
)

// archiveRecheck limits how long an error waits for the archiver to wake it up. Then it is
// reconciled anyway.
const archiveRecheck = 10 * time.Minute

// watchArchive reconciles the errors that the archiver wakes up, and makes the archiver forget
// those that somebody deletes.
func (r *Reconciler) watchArchive(controller *ctrl.Builder) {
	controller.WatchesRawSource(source.Func(func(ctx context.Context, q queue) error {
		go r.Archive.Wake(ctx, q)
		return nil
	}))
	controller.Watches(&joberrorv1.JobError{}, handler.Funcs{
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ queue) { r.Archive.Forget(e.Object.GetUID()) },
	})
}

// archive deletes an expired error once exactly this version is in the archive. Until then, it
// returns when to look again.
func (r *Reconciler) archive(ctx context.Context, je *joberrorv1.JobError, e expiry.Expiry) (time.Duration, error) {
	state := r.Archive.State(je)
	if state == archiver.Unknown {
		if !archiver.IsComplete(je) {
			// This reconcile writes to the error, and the watch brings the version to archive.
			return archiveRecheck, nil
		}
		wait, cause, err := r.Expiry.Decide(ctx, e)
		if wait > 0 || err != nil {
			return wait, err
		}
		if cause != "" {
			metrics.ExpiredUnexpectedly("JobError", string(cause))
		}
		state = r.Archive.Add(je, e.At)
	}
	if state == archiver.Waiting {
		return archiveRecheck, nil
	}
	if err := r.Expiry.DeleteVersion(ctx, je, e); err != nil {
		return 0, err
	}
	r.Archive.Forget(je.UID)
	if state == archiver.Lost {
		r.Archive.CountLost(1)
	}
	return 0, nil
}

// setArchived sets the condition Archived of an expired error that could not be written. It also
// sets status.expiresAt to when a resolved error moves to the archive. expiresAt is when the
// retention ends; zero if the error is held back.
func (r *Reconciler) setArchived(je *joberrorv1.JobError, expiresAt time.Time, expired bool) {
	if at, moves := r.Retention.MovesAt(je, expiresAt); moves {
		setExpiresAt(&je.Status, at)
	}
	if r.Archive == nil || !expired {
		meta.RemoveStatusCondition(&je.Status.Conditions, joberrorv1.ConditionArchived)
		if r.Archive != nil {
			r.Archive.Forget(je.UID)
		}
		return
	}
	// The condition keeps its first text. Another one for each attempt would be a write for each.
	problem := r.Archive.Problem(je.UID)
	if problem == "" || meta.IsStatusConditionFalse(je.Status.Conditions, joberrorv1.ConditionArchived) {
		return
	}
	conditions.Set(&je.Status.Conditions, je.Generation, r.Clock.Now(), joberrorv1.ConditionArchived, metav1.Condition{
		Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonStoreUnavailable,
		Message: "the error has expired and is kept until it can be written to the archive: " + problem,
	})
}
