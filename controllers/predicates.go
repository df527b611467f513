// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"joberror.io/operator/internal/failure"
)

// jobMatters lets those events of a Job through that can change its errors: it
// came, it completed, it goes, it is gone, or one of its annotations changed. The many
// status updates of a running Job are none of them.
var jobMatters = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() ||
			completed(e.ObjectOld.(*batchv1.Job)).IsZero() != completed(e.ObjectNew.(*batchv1.Job)).IsZero() ||
			!maps.Equal(e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()) ||
			e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero()
	},
}

// podRecovered passes the events of a pod that may end an error of its Job: the pod was
// created, got a node, or a container of it started.
var podRecovered = predicate.Funcs{
	DeleteFunc:  func(event.DeleteEvent) bool { return false },
	GenericFunc: func(event.GenericEvent) bool { return false },
	UpdateFunc: func(e event.UpdateEvent) bool {
		return !slices.Equal(failure.Overcome(e.ObjectOld.(*corev1.Pod)), failure.Overcome(e.ObjectNew.(*corev1.Pod)))
	},
}
