// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
)

// stripResolution drops the metadata that is not read and, of a complete resolution, the
// lists of errors and failures except their first entries: a request for one error is
// answered from the cache, and a request for some errors never looks like one for all.
func stripResolution(obj any) (any, error) {
	jer, ok := obj.(*joberrorv1.JobErrorResolution)
	if !ok {
		return obj, nil
	}
	jer.ObjectMeta = metav1.ObjectMeta{
		Namespace: jer.Namespace, Name: jer.Name, UID: jer.UID, ResourceVersion: jer.ResourceVersion, Generation: jer.Generation,
		CreationTimestamp: jer.CreationTimestamp, DeletionTimestamp: jer.DeletionTimestamp,
	}
	internAll(&jer.Namespace, &jer.Spec.JobID, &jer.Spec.Reason, &jer.Spec.RequestedBy)
	if resolution.IsComplete(jer) {
		jer.Spec.Errors, jer.Status.Errors, jer.Status.Failures = firstOf(jer.Spec.Errors), firstOf(jer.Status.Errors), firstOf(jer.Status.Failures)
	}
	for i := range jer.Status.Conditions {
		c := &jer.Status.Conditions[i]
		internAll(&c.Type, &c.Reason, &c.Message)
		c.Status = interned(c.Status)
	}
	return obj, nil
}

// firstOf returns the first entry of a list, without the memory of the others.
func firstOf[T any](list []T) []T {
	if len(list) <= 1 {
		return list
	}
	return []T{list[0]}
}
