// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

// podEvents counts the pods that wait and that recover, and enqueues the errors that the
// event of a pod ends.
func (r *Reconciler) podEvents() handler.Funcs {
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			enqueue(q, r.errorsEndedBy(ctx, nil, e.Object.(*corev1.Pod)))
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			enqueue(q, r.errorsEndedBy(ctx, e.ObjectOld.(*corev1.Pod), e.ObjectNew.(*corev1.Pod)))
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			enqueue(q, r.errorsEndedBy(ctx, e.Object.(*corev1.Pod), nil))
		},
	}
}

// errorsEndedBy counts the change of a pod, and returns the keys of the errors that have
// ended with it. A pod that is new has no state before, and one that is gone none after.
func (r *Reconciler) errorsEndedBy(ctx context.Context, before, after *corev1.Pod) []types.NamespacedName {
	var keys []types.NamespacedName
	for _, name := range r.recoveries.update(before, after) {
		keys = append(keys, r.awaiting(ctx, name)...)
	}
	return keys
}

// awaiting returns the keys of the errors with any of the names of a record that await a
// success.
func (r *Reconciler) awaiting(ctx context.Context, first types.NamespacedName) []types.NamespacedName {
	var keys []types.NamespacedName
	for n := 1; ; n++ {
		key := types.NamespacedName{Namespace: first.Namespace, Name: failure.NumberedName(first.Name, n)}
		je := &joberrorv1.JobError{}
		err := r.Cached.Get(ctx, key, je, client.UnsafeDisableDeepCopy)
		switch {
		case apierrors.IsNotFound(err):
			return keys
		case err != nil:
			// A read from the cache fails only when the cache stops.
			log.FromContext(ctx).Error(err, "The error of a pod can't be read")
			return keys
		case awaitsSuccess(je):
			keys = append(keys, key)
		}
	}
}
