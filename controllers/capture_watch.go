// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"joberror.io/operator/internal/capture"
)

type queue = workqueue.TypedRateLimitingInterface[ctrl.Request]

// onEvents reads what went wrong from the objects of the events themselves, the
// one of the deletion included: a reconcile that reads the cache later may find
// nothing any more.
func (r *CaptureReconciler) onEvents(see func(obj client.Object, q queue)) handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { see(e.Object, q) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) { see(e.ObjectNew, q) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) {
			if job, ok := e.Object.(*batchv1.Job); ok {
				r.pending.remember(job)
			}
			see(e.Object, q)
		},
	}
}

func (r *CaptureReconciler) seePod(obj client.Object, q queue) {
	pod, owner := obj.(*corev1.Pod), metav1.GetControllerOf(obj)
	if owner == nil || owner.Kind != "Job" || owner.APIVersion != batchv1.SchemeGroupVersion.String() {
		return
	}
	r.see(types.NamespacedName{Namespace: pod.Namespace, Name: owner.Name}, owner.UID, capture.OfPod(pod), q)
}

func (r *CaptureReconciler) seeJob(obj client.Object, q queue) {
	job := obj.(*batchv1.Job)
	r.see(client.ObjectKeyFromObject(job), job.UID, capture.OfJob(job), q)
}

func (r *CaptureReconciler) see(key types.NamespacedName, job types.UID, failures []capture.Failure, q queue) {
	if r.Capture.Watches(key.Namespace) && r.pending.add(key, job, failures, r.clock.Now()) {
		q.Add(ctrl.Request{NamespacedName: key})
	}
}
