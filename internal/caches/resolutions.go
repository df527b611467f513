// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
)

// maxNames limits the lists of names in a resolution. They show whether the request names
// no error, one or several. Whoever needs all names reads the resolution from the API server.
const maxNames = 2

// stripResolution drops the metadata that is not read, and all but the first names. Labels
// and annotations are read only until the resolution is complete.
func stripResolution(obj any) (any, error) {
	jer, ok := obj.(*joberrorv1.JobErrorResolution)
	if !ok {
		return obj, nil
	}
	stripRequestMetadata(&jer.ObjectMeta)
	if resolution.IsComplete(jer) {
		jer.Labels, jer.Annotations = nil, nil
	}
	internAll(&jer.Namespace, &jer.Spec.JobID, &jer.Spec.Reason, &jer.Spec.RequestedBy)
	jer.Spec.Errors, jer.Status.Errors, jer.Status.Failures = first(jer.Spec.Errors), first(jer.Status.Errors), first(jer.Status.Failures)
	for i := range jer.Status.Conditions {
		c := &jer.Status.Conditions[i]
		internAll(&c.Type, &c.Reason, &c.Message)
		c.Status = interned(c.Status)
	}
	return obj, nil
}

// stripRequestMetadata drops the metadata of a resolution or a retry that is not read.
func stripRequestMetadata(m *metav1.ObjectMeta) {
	*m = metav1.ObjectMeta{
		Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion, Generation: m.Generation,
		CreationTimestamp: m.CreationTimestamp, DeletionTimestamp: m.DeletionTimestamp,
		Labels: m.Labels, Annotations: m.Annotations,
	}
	dropForeign(m.Labels)
	dropForeign(m.Annotations)
}

// first returns the first entries of a list, without the memory of the others.
func first[T any](list []T) []T {
	if len(list) <= maxNames {
		return list
	}
	return append(make([]T, 0, maxNames), list[:maxNames]...)
}
