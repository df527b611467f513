// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"maps"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/utils/ptr"

	"joberror.io/operator/internal/failure"
)

// podsOfJobs selects the pods that the Job controller creates.
var podsOfJobs = func() labels.Selector {
	requirement, err := labels.NewRequirement(batchv1.JobNameLabel, selection.Exists, nil)
	utilruntime.Must(err)
	return labels.NewSelector().Add(*requirement)
}()

// stripJob drops all fields but the metadata, the first field manager, the result, and the
// fields of the spec that decide which failures of its pods count.
func stripJob(obj any) (any, error) {
	if job, ok := obj.(*batchv1.Job); ok {
		job.ManagedFields = firstManager(job.ManagedFields)
		dropForeign(job.Annotations)
		job.Spec = stripJobSpec(&job.Spec)
		job.Status = batchv1.JobStatus{
			Conditions: job.Status.Conditions, FailedIndexes: job.Status.FailedIndexes,
			StartTime: job.Status.StartTime, CompletionTime: job.Status.CompletionTime,
		}
	}
	return obj, nil
}

// stripCronJob drops all fields but the identity and the time of the last success.
func stripCronJob(obj any) (any, error) {
	if cronJob, ok := obj.(*batchv1.CronJob); ok {
		cronJob.ObjectMeta = metav1.ObjectMeta{
			Namespace: cronJob.Namespace, Name: cronJob.Name, UID: cronJob.UID,
			ResourceVersion: cronJob.ResourceVersion, CreationTimestamp: cronJob.CreationTimestamp,
		}
		cronJob.Spec = batchv1.CronJobSpec{}
		cronJob.Status = batchv1.CronJobStatus{LastSuccessfulTime: cronJob.Status.LastSuccessfulTime}
	}
	return obj, nil
}

// stripJobSpec keeps the selector of a Job only if the Job controller does not label its
// pods.
func stripJobSpec(spec *batchv1.JobSpec) batchv1.JobSpec {
	stripped := batchv1.JobSpec{Suspend: spec.Suspend, PodFailurePolicy: spec.PodFailurePolicy}
	if ptr.Deref(spec.ManualSelector, false) {
		stripped.ManualSelector, stripped.Selector = spec.ManualSelector, spec.Selector
	}
	return stripped
}

// firstManager returns the field manager that wrote an object first, without the fields
// that it wrote.
func firstManager(managers []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	var first *metav1.ManagedFieldsEntry
	for i := range managers {
		m := &managers[i]
		if m.Subresource == "" && (first == nil || m.Time.Before(first.Time)) {
			first = m
		}
	}
	if first == nil {
		return nil
	}
	return []metav1.ManagedFieldsEntry{{Manager: interned(first.Manager), Operation: first.Operation}}
}

// StripPod drops the fields of a pod that the operator does not read. It is a cache
// transform.
func StripPod(obj any) (any, error) {
	if pod, ok := obj.(*corev1.Pod); ok {
		pod.ManagedFields = statusWriter(pod.ManagedFields)
		maps.DeleteFunc(pod.Labels, func(key, _ string) bool { return key != batchv1.JobNameLabel })
		maps.DeleteFunc(pod.Annotations, func(key, _ string) bool { return key != batchv1.JobCompletionIndexAnnotation })
		pod.Spec = corev1.PodSpec{
			TerminationGracePeriodSeconds: pod.Spec.TerminationGracePeriodSeconds,
			InitContainers:                stripContainers(pod.Spec.InitContainers), Containers: stripContainers(pod.Spec.Containers),
		}
		pod.Status = corev1.PodStatus{
			ObservedGeneration: pod.Status.ObservedGeneration,
			Phase:              pod.Status.Phase, Reason: pod.Status.Reason, Message: pod.Status.Message, Conditions: pod.Status.Conditions,
			InitContainerStatuses: stripStatuses(pod.Status.InitContainerStatuses), ContainerStatuses: stripStatuses(pod.Status.ContainerStatuses),
		}
	}
	return obj, nil
}

// statusWriter returns only the entry that says when the kubelet last wrote the status.
func statusWriter(managers []metav1.ManagedFieldsEntry) []metav1.ManagedFieldsEntry {
	writer := failure.StatusWriter(managers)
	if writer == nil {
		return nil
	}
	return []metav1.ManagedFieldsEntry{{Manager: interned(writer.Manager), Subresource: interned(writer.Subresource), Time: writer.Time}}
}

// stripContainers keeps only the containers whose spec the operator reads. These are few,
// and container specs take most of a pod's memory.
func stripContainers(containers []corev1.Container) []corev1.Container {
	var stripped []corev1.Container
	for _, c := range containers {
		if c.RestartPolicy != nil || c.TerminationMessagePolicy == corev1.TerminationMessageFallbackToLogsOnError {
			stripped = append(stripped, corev1.Container{Name: c.Name, RestartPolicy: c.RestartPolicy, TerminationMessagePolicy: c.TerminationMessagePolicy})
		}
	}
	return stripped
}

// stripStatuses drops the fields of the container statuses that the operator does not read.
func stripStatuses(statuses []corev1.ContainerStatus) []corev1.ContainerStatus {
	stripped := make([]corev1.ContainerStatus, len(statuses))
	for i, s := range statuses {
		stripped[i] = corev1.ContainerStatus{Name: s.Name, State: s.State, LastTerminationState: s.LastTerminationState, RestartCount: s.RestartCount, Started: s.Started}
	}
	return stripped
}
