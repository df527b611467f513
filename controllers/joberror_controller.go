// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

// +kubebuilder:rbac:groups=joberror.io,resources=joberrors,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups=joberror.io,resources=joberrors/status,verbs=patch
// +kubebuilder:rbac:groups=batch,resources=jobs,verbs=get;list;watch
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=list;watch
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch

// JobErrorReconciler links each JobError to its Job, keeps its status in step
// with its spec and deletes it when its time is over.
type JobErrorReconciler struct {
	environment
	successes *successes
}

// Reconcile brings one JobError to the state that it should be in.
func (r *JobErrorReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	je := &joberrorv1.JobError{}
	if err := r.cached.Get(ctx, req.NamespacedName, je); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if !je.DeletionTimestamp.IsZero() {
		return ctrl.Result{}, nil
	}
	return resultOf(r.reconcile(ctx, je))
}

// reconcile returns how long the JobError has left.
func (r *JobErrorReconciler) reconcile(ctx context.Context, je *joberrorv1.JobError) (time.Duration, error) {
	link, err := r.findLink(ctx, je)
	if err != nil {
		return 0, err
	}
	expiresAt := r.Retention.ExpiresAt(je, link.retention())
	left := expiresAt.Sub(r.clock.Now())
	if left <= 0 {
		return 0, r.expire(ctx, je, expiresAt)
	}
	if wrote, err := r.writeObject(ctx, je, link); wrote || err != nil {
		// The watch brings what was written, and with it the next reconcile.
		return left, err
	}
	before := je.Status.DeepCopy()
	je.Status = desiredStatus(je, link, expiresAt, r.clock.Now())
	if err := r.writeStatus(ctx, je, before); err != nil {
		return 0, err
	}
	r.announce(je, before, link)
	return left, nil
}

// writeObject makes up for what admission left undone, because it was down or
// the Job was not there yet, and resolves what is over.
func (r *JobErrorReconciler) writeObject(ctx context.Context, je *joberrorv1.JobError, link link) (wrote bool, err error) {
	before := je.DeepCopy()
	if err := r.applyLink(ctx, je, link); err != nil {
		return false, err
	}
	fillCreatedAt(je)
	if err := r.resolveBySuccess(ctx, je, link); err != nil {
		return false, err
	}
	if equality.Semantic.DeepEqual(before, je) {
		return false, nil
	}
	return true, stale(r.writer.Patch(ctx, before, je))
}

// errorsOfJob maps a Job to the JobErrors that name it or are linked to it, and
// one that completed, which it remembers, to those of the earlier runs of its
// CronJob.
func (r *JobErrorReconciler) errorsOfJob(ctx context.Context, obj client.Object) []ctrl.Request {
	keys := r.mentions(ctx, obj.GetNamespace(), obj.GetName())
	keys = append(keys, r.mentions(ctx, obj.GetNamespace(), string(obj.GetUID()))...)
	if job := obj.(*batchv1.Job); !completed(job).IsZero() {
		r.successes.add(job)
		if cronJob := failure.CronJob(job); cronJob != "" {
			keys = append(keys, r.ofCronJob(ctx, job.Namespace, cronJob)...)
		}
	}
	return requestsFor(keys)
}

// errorsOfPod maps a pod to the JobErrors of its Job.
func (r *JobErrorReconciler) errorsOfPod(ctx context.Context, obj client.Object) []ctrl.Request {
	return requestsFor(r.mentions(ctx, obj.GetNamespace(), obj.GetLabels()[batchv1.JobNameLabel]))
}

func requestsFor(keys []types.NamespacedName) []ctrl.Request {
	seen := map[types.NamespacedName]bool{}
	var requests []ctrl.Request
	for _, key := range keys {
		if !seen[key] {
			seen[key] = true
			requests = append(requests, ctrl.Request{NamespacedName: key})
		}
	}
	return requests
}
