// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/timeline"
)

// objectsOf returns the records with their kinds set, oldest first.
func objectsOf(r *timeline.Records) []client.Object {
	var all []client.Object
	for i := range r.Jobs {
		r.Jobs[i].SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("Job"))
		all = append(all, &r.Jobs[i])
	}
	for i := range r.Errors {
		r.Errors[i].SetGroupVersionKind(joberrorv1.GroupVersion.WithKind("JobError"))
		all = append(all, &r.Errors[i])
	}
	for i := range r.Resolutions {
		r.Resolutions[i].SetGroupVersionKind(joberrorv1.GroupVersion.WithKind("JobErrorResolution"))
		all = append(all, &r.Resolutions[i])
	}
	for i := range r.Retries {
		r.Retries[i].SetGroupVersionKind(joberrorv1.GroupVersion.WithKind("JobErrorRetry"))
		all = append(all, &r.Retries[i])
	}
	slices.SortStableFunc(all, func(a, b client.Object) int {
		return a.GetCreationTimestamp().Compare(b.GetCreationTimestamp().Time)
	})
	return all
}
