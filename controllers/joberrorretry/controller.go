// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package joberrorretry carries out JobErrorRetries: it creates the Job that runs again, and
// resolves the errors of the lineage once that Job succeeds.
//
// A retry goes through three steps, and the status says which are done: the Job exists but is
// suspended (status.job), it may run (status.startedAt), it has ended (Complete). Nothing runs
// before the status has the UID of its Job, so that whatever is interrupted, no Job is created
// again after it ran.
package joberrorretry

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/fairqueue"
	"joberror.io/operator/internal/joberrors"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/restore"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/retry"
	"joberror.io/operator/internal/retryplan"
)

// workers is 1, so that the second of two requests for a Job sees the Job that the first one
// created. A retry takes a few writes.
const workers = 1

// The rights to create and change Jobs are in config/retry and config/retry-indexes, because
// an administrator may leave them out.
//
// +kubebuilder:rbac:groups=joberror.io,resources=joberrorretries,verbs=get;list;watch;delete
// +kubebuilder:rbac:groups=joberror.io,resources=joberrorretries/status,verbs=patch
// +kubebuilder:rbac:groups=joberror.io,resources=joberrors,verbs=list;patch
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch
// +kubebuilder:rbac:groups=batch,resources=cronjobs,verbs=get
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler reconciles JobErrorRetries.
type Reconciler struct {
	// Cached reads from the manager's cache and writes to the API server.
	Cached client.Client
	// APIReader reads from the API server.
	APIReader client.Reader
	Planner   *retryplan.Planner
	Writer    *joberrors.Writer
	Expiry    *expiry.Deleter
	Recorder  events.EventRecorder
	Clock     clock.PassiveClock
	Retention retention.Policy
	Capture   capturepolicy.Options

	endings *endings
}

// SetupWithManager adds the controller to the manager.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager) error {
	r.endings = newEndings()
	if err := r.endings.watch(ctx, mgr.GetCache()); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		For(&joberrorv1.JobErrorRetry{}).
		Watches(&batchv1.Job{}, handler.EnqueueRequestsFromMapFunc(r.retryOfJob)).
		WithOptions(fairqueue.ControllerOptions(workers)).
		Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// retryOfJob returns the retry that a Job was created for.
func (r *Reconciler) retryOfJob(ctx context.Context, obj client.Object) []ctrl.Request {
	jet, err := retryplan.RequestOf(ctx, r.Cached, obj.(*batchv1.Job))
	if err != nil {
		log.FromContext(ctx).Error(err, "The retry of a Job is not known", "job", obj.GetName())
	}
	if jet == nil {
		return nil
	}
	return []ctrl.Request{{NamespacedName: client.ObjectKeyFromObject(jet)}}
}

// Reconcile carries out one retry as far as possible.
func (r *Reconciler) Reconcile(ctx context.Context, jet *joberrorv1.JobErrorRetry) (ctrl.Result, error) {
	if !jet.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	return requeue.After(r.reconcile(ctx, jet))
}

// reconcile returns the time left until the retry expires. It does not expire before it is
// complete.
func (r *Reconciler) reconcile(ctx context.Context, jet *joberrorv1.JobErrorRetry) (time.Duration, error) {
	expiresAt := r.Retention.RequestExpiresAt(jet)
	left := expiresAt.Sub(r.Clock.Now())
	if left <= 0 && retry.IsComplete(jet) {
		var err error
		if left, err = r.Expiry.Delete(ctx, jet, expiry.Expiry{At: expiresAt, Recorded: jet.Status.ExpiresAt}); left == 0 || err != nil {
			return 0, requeue.IfStale(err)
		}
	}
	if retry.IsComplete(jet) {
		return left, nil
	}
	if restore.IsRestored(jet) {
		return r.keepRestored(ctx, jet, left)
	}
	if runs, err := r.stillRuns(ctx, jet); runs || err != nil {
		return left, err
	}
	// The cache may not know yet which steps are done, and lacks the overrides.
	if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(jet), jet); err != nil {
		return 0, requeue.IfStale(err)
	}
	for _, step := range []struct {
		done func(*joberrorv1.JobErrorRetry) bool
		do   func(context.Context, *joberrorv1.JobErrorRetry) error
	}{
		{hasJob, r.create}, {hasStarted, r.release}, {retry.IsComplete, r.finish},
	} {
		if retry.IsComplete(jet) || step.done(jet) {
			continue
		}
		if err := step.do(ctx, jet); err != nil {
			return 0, err
		}
	}
	return left, nil
}

// hasJob reports whether the status names the new Job.
func hasJob(jet *joberrorv1.JobErrorRetry) bool {
	return jet.Status.Job != nil && jet.Status.Job.UID != ""
}

// hasStarted reports whether the new Job was allowed to run.
func hasStarted(jet *joberrorv1.JobErrorRetry) bool { return jet.Status.StartedAt != nil }

// patchStatus writes the status of a retry.
func (r *Reconciler) patchStatus(ctx context.Context, before, jet *joberrorv1.JobErrorRetry) error {
	jet.Status.ObservedGeneration = jet.Generation
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Cached.Status().Patch(ctx, jet, patch); err != nil {
		return requeue.IfStale(fmt.Errorf("patch the status of JobErrorRetry: %w", err))
	}
	return nil
}
