// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
)

// +kubebuilder:rbac:groups=joberror.io,resources=joberrors,verbs=create
// +kubebuilder:rbac:groups="",resources=pods,verbs=list;watch
// +kubebuilder:rbac:groups=batch,resources=cronjobs,verbs=get

// CaptureReconciler records what was seen to go wrong with a Job and its pods.
// A request is the name of a Job; there may have been several of it.
type CaptureReconciler struct {
	environment
	// leading is since when this replica has recorded what it sees.
	leading time.Time
	pending *pending
	tally   *tally
	logs    *logs
}

// lead takes over from the replica that led before: what was collected until now is
// recorded, unless it is already.
func (r *CaptureReconciler) lead(_ context.Context, q queue) error {
	r.leading = r.clock.Now()
	r.pending.lead(q)
	return nil
}

// Reconcile records what is pending of the Jobs of that name.
func (r *CaptureReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	left := time.Duration(0)
	for uid, sightings := range r.pending.of(req.NamespacedName) {
		wait, err := r.reconcile(ctx, req.NamespacedName, uid, sightings)
		if err != nil {
			return resultOf(0, err)
		}
		if left == 0 || wait > 0 && wait < left {
			left = wait
		}
	}
	return resultOf(left, nil)
}

// reconcile returns how long it is until one of the failures has lasted long
// enough; zero where there is none.
func (r *CaptureReconciler) reconcile(ctx context.Context, key types.NamespacedName, uid types.UID, sightings []sighting) (time.Duration, error) {
	var job *batchv1.Job
	var exists bool
	var err error
	if sightings[0].CronJob {
		job, err = r.cronJobOf(ctx, key, uid)
	} else {
		job, exists, err = r.jobOf(ctx, key, uid)
	}
	if err != nil {
		return 0, err
	}
	namespace, err := joblink.Namespace(ctx, r.cached, key.Namespace)
	if apierrors.IsNotFound(err) && exists {
		return 0, errEarly
	}
	if err != nil && !apierrors.IsNotFound(err) {
		return 0, err
	}
	gone := !exists || !job.DeletionTimestamp.IsZero()
	if err != nil || !r.Capture.Wants(job, namespace) || gone && joblink.Cascades(job) {
		// The namespace is gone, or nobody wants to know, which may change.
		for _, s := range sightings {
			r.pending.forget(key, uid, s.Failure)
		}
		return 0, nil
	}
	ripe, left := r.due(job, exists, sightings)
	var errs []error
	groups, err := r.plan(ctx, job, ripe)
	if err != nil {
		return 0, err
	}
	for _, g := range groups {
		errs = append(errs, r.record(ctx, job, !gone, namespace.UID, g))
	}
	return left, worst(errs)
}

// jobOf is the Job of that UID: as it is, as it was when it was deleted, or as
// much as its pods tell of it.
func (r *CaptureReconciler) jobOf(ctx context.Context, key types.NamespacedName, uid types.UID) (job *batchv1.Job, exists bool, err error) {
	job, err = jobref.FindUID(ctx, r.cached, key.Namespace, uid)
	if err != nil || job != nil {
		return job, true, err
	}
	if job := r.pending.remembered(uid); job != nil {
		return job, false, nil
	}
	if exists, err := r.jobExists(ctx, key, uid); err != nil || exists {
		return nil, true, cmp.Or(err, errEarly)
	}
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: key.Namespace, Name: key.Name, UID: uid}}, false, nil
}

// cronJobOf returns a stand-in for the Job that a CronJob could not start, with what
// says whether anybody wants to know.
func (r *CaptureReconciler) cronJobOf(ctx context.Context, key types.NamespacedName, uid types.UID) (*batchv1.Job, error) {
	cronJob := &metav1.PartialObjectMetadata{}
	cronJob.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("CronJob"))
	if err := r.live.Get(ctx, key, cronJob); client.IgnoreNotFound(err) != nil {
		return nil, fmt.Errorf("read CronJob: %w", err)
	}
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Namespace: key.Namespace, Name: key.Name, UID: uid, Labels: cronJob.Labels, Annotations: cronJob.Annotations,
	}}, nil
}

// worst is the error that a reconcile of several ends with: one that is none of
// a cache that is behind, where there is one.
func worst(errs []error) error {
	var behind error
	for _, err := range errs {
		switch {
		case errors.Is(err, errEarly), errors.Is(err, errStale):
			behind = errEarly
		case err != nil:
			return err
		}
	}
	return behind
}
