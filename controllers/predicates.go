// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"maps"

	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// jobMatters lets those events of a Job through that can change its errors:
// it came, it goes, it is gone, or one of its annotations changed. The many
// status updates of a running Job are none of them.
var jobMatters = predicate.Funcs{
	UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetUID() != e.ObjectNew.GetUID() ||
			!maps.Equal(e.ObjectOld.GetAnnotations(), e.ObjectNew.GetAnnotations()) ||
			e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero()
	},
}
