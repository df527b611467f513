// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package joberrorresolution carries out each JobErrorResolution once, and deletes it
// after its retention.
package joberrorresolution

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/fairqueue"
	"joberror.io/operator/internal/joberrors"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/resolution"
	"joberror.io/operator/internal/restore"
	"joberror.io/operator/internal/retention"
)

const (
	// workers limits the resolutions under way, each of which holds a page of errors. They
	// share the writes in flight, so large resolutions do not keep a small one waiting.
	workers = 16
	// progressInterval is the time between two writes of a resolution's progress.
	progressInterval = time.Second
)

// +kubebuilder:rbac:groups=joberror.io,resources=joberrorresolutions,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=joberror.io,resources=joberrorresolutions/status,verbs=patch

// Reconciler reconciles JobErrorResolutions. It writes spec.resolved of the errors and
// leaves their status to the controller of JobErrors, so that every way to resolve an
// error ends in the same state.
type Reconciler struct {
	// Cached reads from the manager's cache and writes to the API server.
	Cached client.Client
	// APIReader reads from the API server.
	APIReader client.Reader
	Writer    *joberrors.Writer
	Expiry    *expiry.Deleter
	Recorder  events.EventRecorder
	Clock     clock.PassiveClock
	Retention retention.Policy
	// Concurrency limits the errors of one resolution that are written at the same
	// time.
	Concurrency int

	turns *turns
}

// SetupWithManager adds the controller to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	r.turns = newTurns()
	return ctrl.NewControllerManagedBy(mgr).
		For(&joberrorv1.JobErrorResolution{}).
		WatchesRawSource(source.Func(r.turns.start)).
		WithOptions(fairqueue.ControllerOptions(workers)).
		Complete(r.turns.wrap(reconcile.AsReconciler(mgr.GetClient(), r)))
}

// Reconcile carries out one resolution. An interrupted one continues: the errors left
// to do are looked up again, and each error that was done is marked.
func (r *Reconciler) Reconcile(ctx context.Context, jer *joberrorv1.JobErrorResolution) (ctrl.Result, error) {
	if !jer.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	return requeue.After(r.reconcile(ctx, jer))
}

// reconcile returns the time left until the resolution expires, or is looked at again.
func (r *Reconciler) reconcile(ctx context.Context, jer *joberrorv1.JobErrorResolution) (time.Duration, error) {
	expiresAt := r.Retention.RequestExpiresAt(jer)
	left := expiresAt.Sub(r.Clock.Now())
	if left <= 0 {
		// A resolution that is held back is carried out like any other.
		var err error
		if left, err = r.Expiry.Delete(ctx, jer, expiry.Expiry{At: expiresAt, Recorded: jer.Status.ExpiresAt}); left == 0 || err != nil {
			return 0, requeue.IfStale(err)
		}
	}
	if restore.IsRestored(jer) {
		return r.keepRestored(ctx, jer, left)
	}
	if !resolution.IsComplete(jer) && (jer.Status.StartedAt != nil || len(jer.Spec.Errors) > 1) {
		// The cache may not know yet that it is complete, and holds only the first names.
		if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(jer), jer); err != nil {
			return 0, requeue.IfStale(err)
		}
	}
	if resolution.IsComplete(jer) {
		return left, nil
	}
	return left, r.carryOut(ctx, jer)
}

// carryOut sets the resolution's targets and completes it, unless it has to wait for its
// turn.
func (r *Reconciler) carryOut(ctx context.Context, jer *joberrorv1.JobErrorResolution) error {
	ref, err := jobref.Lookup(ctx, r.Cached, jer.Namespace, jer.Spec.JobID)
	if err != nil {
		return fmt.Errorf("look up job %s: %w", jer.Spec.JobID, err)
	}
	request := requestOf(jer, ref)
	if len(jer.Spec.Errors) == 0 && !r.turns.take(client.ObjectKeyFromObject(jer), request.subject()) {
		return r.wait(ctx, jer, request.snapshot)
	}
	logger := log.FromContext(ctx).WithValues("job", ref.ID, "resolved", jer.Spec.WantsResolved())
	logger.Info("Carrying out a resolution", "resumed", jer.Status.StartedAt != nil)
	progress := r.newProgress(jer, request.snapshot)
	if err := r.apply(ctx, request, progress); err != nil {
		return err
	}
	if err := progress.complete(ctx); err != nil {
		return err
	}
	logger.Info("Completed a resolution", "updated", jer.Status.Updated, "unchanged", jer.Status.Unchanged, "failed", jer.Status.Failed)
	r.announce(jer, ref)
	return nil
}

// wait writes once that the resolution waits, and the resource version at which it was
// made: the resolution may be labeled before its turn comes.
func (r *Reconciler) wait(ctx context.Context, jer *joberrorv1.JobErrorResolution, snapshot string) error {
	if jer.Status.SnapshotResourceVersion != "" {
		return nil
	}
	return r.patchStatus(ctx, jer, resolution.Waiting(jer, r.Clock.Now()), snapshot)
}
