// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package capture records the failures of Jobs and their pods as JobErrors.
//
// Data flows one way. On every replica, the event handler and the watches of Events put
// what they see into pending. On the leader, the controller takes what is due, groups
// it by JobError, and records it.
package capture

import (
	"cmp"
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/fairqueue"
	"joberror.io/operator/internal/joberrors"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/templates"
)

// +kubebuilder:rbac:groups=joberror.io,resources=joberrors,verbs=create
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups=batch,resources=cronjobs,verbs=get

// Reconciler records the pending failures of Jobs. A request is the name of a Job;
// several Jobs may have had that name.
type Reconciler struct {
	// Cached reads from the manager's cache.
	Cached client.Reader
	// APIReader reads from the API server.
	APIReader client.Reader
	Writer    *joberrors.Writer
	Recorder  events.EventRecorder
	// Templates keeps the templates of the Jobs that failed.
	Templates *templates.Store
	Clock     clock.PassiveClock
	Retention retention.Policy
	Policy    capturepolicy.Options
	// Lease is the Lease that the leader holds.
	Lease types.NamespacedName

	pending *pending
	created *createdErrors
	backoff *backoff
	logs    *containerLogs
	// leadingSince is when this replica began to record.
	leadingSince time.Time
}

// SetupWithManager adds the controller to the manager, and what it watches to every
// replica. workers is how many names of Jobs are reconciled at a time.
func (r *Reconciler) SetupWithManager(ctx context.Context, mgr ctrl.Manager, workers int) error {
	r.pending, r.created, r.backoff = newPending(r.Policy.Grace), newCreatedErrors(), newBackoff(r.Clock)
	core, err := typedcorev1.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("make a client for pods and Events: %w", err)
	}
	if r.Policy.LogLines > 0 {
		r.logs = newContainerLogs(core, r.Policy.LogLines, r.pending.retry)
	}
	seen := &eventHandler{
		cached: r.Cached, clock: r.Clock, policy: r.Policy, pending: r.pending, deletions: failure.NewDeletionMemory(),
	}
	seen.manualPods = newManualPods(seen, core)
	if err := seen.watch(ctx, mgr.GetCache()); err != nil {
		return err
	}
	watchedUntil, err := lastRenewal(ctx, r.APIReader, r.Lease)
	if err != nil {
		return err
	}
	if err := mgr.Add(&clusterEvents{eventHandler: seen, events: core, watchedUntil: watchedUntil}); err != nil {
		return err
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("capture").
		WatchesRawSource(source.Func(r.lead)).
		WithOptions(fairqueue.ControllerOptions(workers)).
		Complete(r)
}

// lead takes over from the last leader. It enqueues what this replica has collected
// and the last leader has not recorded.
func (r *Reconciler) lead(ctx context.Context, q queue) error {
	r.leadingSince = r.Clock.Now()
	jobs := r.pending.lead(q)
	log.FromContext(ctx).Info("Leading: recording the failures of Jobs", "pendingJobs", jobs)
	return nil
}

// Reconcile records the failures of the Jobs with this name that are due.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	due, next := r.pending.due(req.NamespacedName, r.Clock.Now())
	for uid, sightings := range due {
		wait, err := r.reconcile(ctx, req.NamespacedName, uid, sightings)
		if err != nil {
			return requeue.After(0, err)
		}
		next = sooner(next, wait)
	}
	return requeue.After(next, nil)
}

// reconcile records the failures of one Job that are due. It returns the time until the next
// attempt if the namespace refuses records; otherwise zero.
func (r *Reconciler) reconcile(ctx context.Context, key types.NamespacedName, uid types.UID, sightings []sighting) (time.Duration, error) {
	subject, wanted, err := r.subjectOf(ctx, key, uid, sightings[0].CronJob)
	if err != nil {
		return 0, err
	}
	if !wanted {
		for _, s := range sightings {
			r.pending.forget(key, uid, s.Failure)
		}
		return 0, nil
	}
	groups, err := r.group(ctx, subject, r.needRecord(subject, sightings))
	if err != nil {
		return 0, err
	}
	var errs []error
	next := time.Duration(0)
	for _, g := range groups {
		wait, err := r.tryRecord(ctx, subject, g)
		errs, next = append(errs, err), sooner(next, wait)
	}
	return next, requeue.FirstFailure(errs)
}

// sooner returns the shorter of two delays. Zero means no delay.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// subject is the Job that failed, or a substitute for the Job that a CronJob could not
// start.
type subject struct {
	*batchv1.Job
	// exists is false once the Job is deleted.
	exists bool
	// namespaceUID is the UID of the Job's namespace.
	namespaceUID types.UID
}

// ending reports whether the Job is deleted or is being deleted.
func (s subject) ending() bool { return !s.exists || !s.DeletionTimestamp.IsZero() }

// key returns the name of the Job.
func (s subject) key() types.NamespacedName { return client.ObjectKeyFromObject(s.Job) }

// subjectOf returns the Job with this UID, and whether its failures are recorded now.
// They are not in a namespace that is gone, nor for a Job that is opted out, nor for one
// that takes its errors with it: that may change.
func (r *Reconciler) subjectOf(ctx context.Context, key types.NamespacedName, uid types.UID, cronJob bool) (s subject, wanted bool, err error) {
	if cronJob {
		s.Job, err = r.findCronJob(ctx, key, uid)
	} else {
		s.Job, s.exists, err = r.findJob(ctx, key, uid)
	}
	if err != nil {
		return s, false, err
	}
	namespace, err := joblink.Namespace(ctx, r.Cached, key.Namespace)
	switch {
	case apierrors.IsNotFound(err) && s.exists:
		return s, false, requeue.ErrStaleCache
	case apierrors.IsNotFound(err):
		return s, false, nil
	case err != nil:
		return s, false, fmt.Errorf("read the namespace: %w", err)
	}
	s.namespaceUID = namespace.UID
	return s, r.Policy.Captures(s.Job, namespace) && !(s.ending() && r.Retention.Cascades(s.Job)), nil
}

// findJob returns the Job with this UID: as it is, or as it was when it was deleted, or
// with as much as its pods show.
func (r *Reconciler) findJob(ctx context.Context, key types.NamespacedName, uid types.UID) (job *batchv1.Job, exists bool, err error) {
	job, err = jobref.LookupJobByUID(ctx, r.Cached, key.Namespace, uid)
	if err != nil || job != nil {
		return job, true, err
	}
	if job := r.pending.deletedJob(uid); job != nil {
		return job, false, nil
	}
	if exists, err := jobref.Exists(ctx, r.APIReader, key, uid); err != nil || exists {
		return nil, true, cmp.Or(err, requeue.ErrStaleCache)
	}
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, UID: uid}}, false, nil
}

// findCronJob returns a substitute for the Job that a CronJob could not start, with the
// labels and annotations that decide whether its failures are recorded.
func (r *Reconciler) findCronJob(ctx context.Context, key types.NamespacedName, uid types.UID) (*batchv1.Job, error) {
	cronJob := &metav1.PartialObjectMetadata{}
	cronJob.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("CronJob"))
	if err := r.APIReader.Get(ctx, key, cronJob); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read CronJob: %w", err)
	}
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Namespace: key.Namespace, Name: key.Name, UID: uid, Labels: cronJob.Labels, Annotations: cronJob.Annotations,
	}}, nil
}
