// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"joberror.io/operator/internal/failure"
)

// jobMatters passes the events of a Job that can change its errors: it was created,
// completed or deleted, its deletion was requested, or an annotation changed. It drops
// the many status updates of a running Job.
var jobMatters = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() ||
			completionTime(e.ObjectOld.(*batchv1.Job)).IsZero() != completionTime(e.ObjectNew.(*batchv1.Job)).IsZero() ||
			!maps.Equal(e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()) ||
			e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero()
	},
}

// podRecovered passes the events of a pod that may end an error of its Job: the pod was
// created or scheduled, or one of its containers started.
var podRecovered = predicate.Funcs{
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return !slices.Equal(failure.RecoveredKeys(e.ObjectOld.(*corev1.Pod)), failure.RecoveredKeys(e.ObjectNew.(*corev1.Pod)))
	},
}
