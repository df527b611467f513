// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
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
// the Job was not there yet.
func (r *JobErrorReconciler) writeObject(ctx context.Context, je *joberrorv1.JobError, link link) (wrote bool, err error) {
	before := je.DeepCopy()
	if err := r.applyLink(ctx, je, link); err != nil {
		return false, err
	}
	fillCreatedAt(je)
	if equality.Semantic.DeepEqual(before, je) {
		return false, nil
	}
	return true, stale(r.writer.Patch(ctx, before, je))
}

func (r *JobErrorReconciler) writeStatus(ctx context.Context, je *joberrorv1.JobError, before *joberrorv1.JobErrorStatus) error {
	if equality.Semantic.DeepEqual(before, &je.Status) {
		return nil
	}
	// A patch is found by comparing two objects; what is alike in them is left
	// out beforehand.
	identity := metav1.ObjectMeta{Namespace: je.Namespace, Name: je.Name, ResourceVersion: je.ResourceVersion}
	was := &joberrorv1.JobError{ObjectMeta: identity, Status: *before}
	is := &joberrorv1.JobError{ObjectMeta: identity, Status: je.Status}
	return stale(r.writer.Patch(ctx, was, is, "status"))
}

// errorsOfJob maps a Job to the JobErrors that name it or are linked to it.
func (r *JobErrorReconciler) errorsOfJob(ctx context.Context, obj client.Object) []ctrl.Request {
	seen := map[types.NamespacedName]bool{}
	var requests []ctrl.Request
	for _, id := range []string{obj.GetName(), string(obj.GetUID())} {
		for _, key := range r.mentions(ctx, obj.GetNamespace(), id) {
			if !seen[key] {
				seen[key] = true
				requests = append(requests, ctrl.Request{NamespacedName: key})
			}
		}
	}
	return requests
}
