// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"maps"
	"slices"
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Labels that several tools share.
const (
	// instanceLabel is set by Helm charts, for people to select by. Argo CD may track objects
	// by it, and would delete a retry as an object that is not in Git.
	instanceLabel = "app.kubernetes.io/instance"
	// managedByLabel with the value helm makes Helm adopt an object.
	managedByLabel = "app.kubernetes.io/managed-by"
	helm           = "Helm"
)

// controllerLabels holds the labels that the Job controller sets on a Job and its pods.
var controllerLabels = []string{batchv1.ControllerUidLabel, batchv1.JobNameLabel, "controller-uid", "job-name"}

// foreignMarks holds the labels and annotations by which other tools and controllers find their
// objects. A retry is not theirs. An entry that ends with a slash means every key with
// this prefix.
var foreignMarks = []string{
	// kubectl apply.
	corev1.LastAppliedConfigAnnotation,
	// Argo CD.
	"argocd.argoproj.io/",
	// Helm.
	"meta.helm.sh/", "helm.sh/hook", "helm.sh/hook-weight", "helm.sh/hook-delete-policy", "helm.sh/hook-output-log-policy",
	// Flux.
	"kustomize.toolkit.fluxcd.io/", "helm.toolkit.fluxcd.io/",
	// kubectl apply --applyset, and kpt.
	"applyset.kubernetes.io/", "config.k8s.io/owning-inventory",
}

// retryMarks holds the labels and annotations of a retry.
var retryMarks = []string{joberrorv1.LabelLineage, joberrorv1.AnnotationRetryOf, joberrorv1.AnnotationRetry, joberrorv1.AnnotationHeld}

func isOfRetry(key, _ string) bool { return slices.Contains(retryMarks, key) }

// withoutMarks returns a copy of labels or annotations without those in foreignMarks.
func withoutMarks(values map[string]string) map[string]string {
	kept := maps.Clone(values)
	maps.DeleteFunc(kept, func(key, value string) bool {
		return slices.Contains(controllerLabels, key) || isForeign(key) || isOfRetry(key, value) || key == managedByLabel && value == helm
	})
	return kept
}

func isForeign(key string) bool {
	for _, m := range foreignMarks {
		if key == m || strings.HasSuffix(m, "/") && strings.HasPrefix(key, m) {
			return true
		}
	}
	return false
}

// otherTracking holds annotations of tools that track an object without instanceLabel. If one
// is set, the label stays.
var otherTracking = []string{"argocd.argoproj.io/tracking-id", "meta.helm.sh/release-name"}

// stripMarks removes the marks of other tools from an object.
func stripMarks(obj metav1.Object) {
	labels, annotations := withoutMarks(obj.GetLabels()), obj.GetAnnotations()
	if !slices.ContainsFunc(otherTracking, func(key string) bool { return annotations[key] != "" }) {
		delete(labels, instanceLabel)
	}
	obj.SetLabels(labels)
	obj.SetAnnotations(withoutMarks(annotations))
}
