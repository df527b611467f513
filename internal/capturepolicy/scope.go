// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capturepolicy

import (
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Watches reports whether the Jobs in a namespace are watched.
func (o Options) Watches(namespace string) bool {
	return len(o.Namespaces) == 0 || slices.Contains(o.Namespaces, namespace)
}

// Captures reports whether the failures of a Job are recorded. The labels of a Job that
// was deleted before it was seen are unknown, so only the empty selector matches it.
func (o Options) Captures(job *batchv1.Job, namespace metav1.Object) bool {
	return o.Enabled && o.Selects(job) && !OptedOut(joberrorv1.AnnotationCapture, job, namespace)
}

// Selects reports whether the selector of --capture-selector matches a Job.
func (o Options) Selects(job *batchv1.Job) bool { return o.selector.Matches(labels.Set(job.Labels)) }

// OptedOut reports whether the annotation of one of the objects turns the feature off.
func OptedOut(annotation string, objects ...metav1.Object) bool {
	return slices.ContainsFunc(objects, func(o metav1.Object) bool { return o.GetAnnotations()[annotation] == joberrorv1.Off })
}
