// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

// errorsEndedBy counts the pods that wait and that recover, and returns the keys of the
// errors that end with the change of a pod. before is nil for a new pod, and after for a
// deleted one.
func (r *Reconciler) errorsEndedBy(ctx context.Context, before, after *corev1.Pod) []types.NamespacedName {
	var keys []types.NamespacedName
	for _, name := range r.recoveries.update(before, after) {
		keys = append(keys, r.awaiting(ctx, name)...)
	}
	return keys
}

// awaiting returns the keys of the open errors with any of the names of a record. They wait
// for a success.
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
