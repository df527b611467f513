// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package joberror links each JobError to its Job, keeps its status in step with its
// spec, resolves it once the work succeeds, and deletes it after its retention.
package joberror

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archiver"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/fairqueue"
	"joberror.io/operator/internal/joberrors"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/restore"
	"joberror.io/operator/internal/retention"
)

// +kubebuilder:rbac:groups=joberror.io,resources=joberrors,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=joberror.io,resources=joberrors/status,verbs=patch
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// Reconciler reconciles JobErrors.
type Reconciler struct {
	// Cached reads from the manager's cache.
	Cached client.Reader
	// APIReader reads from the API server.
	APIReader client.Reader
	Writer    *joberrors.Writer
	Expiry    *expiry.Deleter
	Recorder  events.EventRecorder
	Clock     clock.PassiveClock
	Retention retention.Policy
	Capture   capturepolicy.Options
	// Archive takes expired errors before they are deleted; nil if there is no archive.
	Archive *archiver.Archiver

	completed  *completedJobs
	recoveries *recoveries
}

// SetupWithManager adds the controller to the manager. workers is how many JobErrors
// are reconciled at a time.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, workers int) error {
	r.completed, r.recoveries = newCompletedJobs(), newRecoveries()
	if err := r.completed.watch(ctx, mgr.GetCache()); err != nil {
		return err
	}
	controller := ctrl.NewControllerManagedBy(mgr).
		For(&joberrorv1.JobError{}).
		Watches(&batchv1.Job{}, enqueueChanged(r.errorsOfJob)).
		WithOptions(fairqueue.ControllerOptions(workers))
	if r.Capture.Enabled {
		controller.Watches(&corev1.Pod{}, enqueueChanged(r.errorsEndedBy))
	}
	if r.Archive != nil {
		r.watchArchive(controller)
	}
	return controller.Complete(reconcile.AsReconciler(mgr.GetClient(), r))
}

// Reconcile brings one JobError to its desired state.
func (r *Reconciler) Reconcile(ctx context.Context, je *joberrorv1.JobError) (ctrl.Result, error) {
	if !je.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	return requeue.After(r.reconcile(ctx, je))
}

// reconcile returns the time left until the JobError expires, or is looked at again.
func (r *Reconciler) reconcile(ctx context.Context, je *joberrorv1.JobError) (time.Duration, error) {
	if wait := restore.Wait(je, je.Status.ExpiresAt != nil, r.Clock.Now()); wait > 0 {
		return wait, nil
	}
	stored := je.Status.DeepCopy()
	takenOver := restore.TakeOver(je)
	link, err := r.findLink(ctx, je)
	if err != nil {
		return 0, fmt.Errorf("find the Job: %w", err)
	}
	link.refusals = append(r.Retention.Refusals(link.retention(), link.job), severityRefusals(link.job)...)
	retained := r.Retention.ExpiresAt(je, link.retention())
	e := expiryOf(je, retained, r.Retention)
	left := e.At.Sub(r.Clock.Now())
	expired := left <= 0
	if expired {
		// If the error is held back, its status keeps the time that was recorded.
		if left, err = r.expire(ctx, je, e); left == 0 || err != nil {
			return 0, err
		}
		retained = time.Time{}
	}
	if !takenOver {
		if wrote, err := r.patchObject(ctx, je, link); wrote || err != nil {
			// The watch brings the patched object, and with it the next reconcile.
			return left, err
		}
	}
	before := je.Status.DeepCopy()
	je.Status = desiredStatus(je, link, retained, r.Clock.Now())
	r.setArchived(je, retained, expired)
	if err := r.Writer.PatchStatus(ctx, je, stored); err != nil {
		return 0, requeue.IfStale(err)
	}
	r.announce(je, before, link)
	return left, nil
}

// expire deletes an expired JobError. If it is held back, expire returns when to try again.
func (r *Reconciler) expire(ctx context.Context, je *joberrorv1.JobError, e expiry.Expiry) (wait time.Duration, err error) {
	if r.Archive != nil {
		wait, err = r.archive(ctx, je, e)
	} else {
		wait, err = r.Expiry.Delete(ctx, je, e)
	}
	if wait == 0 && err == nil {
		metrics.Expired(je.Namespace)
	}
	return wait, requeue.IfStale(err)
}

// patchObject patches everything outside the status: what admission could not fill in,
// because the webhook was down or the Job did not exist yet, and spec.resolved once
// the work has succeeded. It reports whether it wrote anything.
func (r *Reconciler) patchObject(ctx context.Context, je *joberrorv1.JobError, link link) (wrote bool, err error) {
	before := je.DeepCopy()
	if err := r.applyLink(ctx, je, link); err != nil {
		return false, err
	}
	fillCreatedAt(je)
	restore.Finish(je)
	if err := r.resolveBySuccess(ctx, je, link); err != nil {
		return false, fmt.Errorf("look for a success: %w", err)
	}
	if equality.Semantic.DeepEqual(before, je) {
		return false, nil
	}
	if err := r.Writer.Patch(ctx, before, je); err != nil {
		return true, requeue.IfStale(err)
	}
	if cause := attribution.MarkOf(je).Cause; je.Spec.Resolved && !before.Spec.Resolved {
		log.FromContext(ctx).Info("Resolved an error automatically", "reason", cause.Reason, "cause", cause.Name)
	}
	return true, nil
}

// fillCreatedAt sets a createdAt that admission, being down, did not fill in.
func fillCreatedAt(je *joberrorv1.JobError) {
	if je.Spec.CreatedAt == "" {
		je.Spec.CreatedAt = je.CreationTimestamp.UTC().Format(time.RFC3339)
	}
}

type queue = workqueue.TypedRateLimitingInterface[ctrl.Request]

// enqueueChanged enqueues the errors that the change of an object affects. keys gets nil as
// the state before the creation of an object, and after its deletion.
func enqueueChanged[T client.Object](keys func(ctx context.Context, before, after T) []types.NamespacedName) handler.Funcs {
	var none T
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) { enqueue(q, keys(ctx, none, e.Object.(T))) },
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			enqueue(q, keys(ctx, e.ObjectOld.(T), e.ObjectNew.(T)))
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) { enqueue(q, keys(ctx, e.Object.(T), none)) },
	}
}

func enqueue(q queue, keys []types.NamespacedName) {
	for _, key := range keys {
		q.Add(ctrl.Request{NamespacedName: key})
	}
}
