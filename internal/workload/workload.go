// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package workload finds the workload of an error, which is what a person deployed: the CronJob
// of its Job, or what else controls the Job, or the Job.
package workload

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/retry"
)

// Kinds of workloads. What controls a Job may have any other kind.
const (
	KindCronJob   = "CronJob"
	KindJob       = "Job"
	KindNamespace = "Namespace"
)

// Key identifies a workload. The kind and the name are empty in the sum of several.
type Key struct{ Namespace, Kind, Name string }

// Of returns the workload of an error. A retry belongs to the workload of the Job that ran first.
func Of(je *joberrorv1.JobError) Key {
	if cronJob := je.Labels[joberrorv1.LabelCronJobName]; cronJob != "" {
		return Key{je.Namespace, KindCronJob, cronJob}
	}
	if je.Spec.JobID == joberrorv1.NamespaceJobID {
		return Key{je.Namespace, KindNamespace, je.Namespace}
	}
	kind, name, _ := strings.Cut(je.Annotations[joberrorv1.AnnotationWorkload], "/")
	// Everybody who may patch the error can write the annotation.
	if len(validation.IsDNS1123Label(strings.ToLower(kind))) == 0 && len(validation.IsDNS1123Subdomain(name)) == 0 {
		return Key{je.Namespace, kind, name}
	}
	job := je.Spec.JobID
	if link := joblink.Linked(je); link != nil {
		job = retry.LineageOfGone(link.Name, link.UID, types.UID(je.Labels[joberrorv1.LabelLineage])).Base
	}
	return Key{je.Namespace, KindJob, job}
}
