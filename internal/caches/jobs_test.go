// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"reflect"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

var morning = metav1.NewTime(time.Date(2026, time.November, 5, 9, 0, 0, 0, time.UTC))

func TestStripJobKeepsTheResultAndTheFirstManager(t *testing.T) {
	t.Parallel()
	want := &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: "nightly", UID: "j", Annotations: map[string]string{joberrorv1.AnnotationRetention: "7d"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl-create", Operation: metav1.ManagedFieldsOperationUpdate}},
		},
		Status: batchv1.JobStatus{
			Conditions:    []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "FailedIndexes"}},
			FailedIndexes: ptr.To("1"), StartTime: &morning,
		},
	}
	job := want.DeepCopy()
	job.Annotations[corev1.LastAppliedConfigAnnotation], job.Annotations["example.com/notes"] = "{}", "not the operator's"
	later := metav1.NewTime(morning.Add(time.Minute))
	fields := metav1.NewFieldsV1("{}")
	job.ManagedFields = []metav1.ManagedFieldsEntry{
		{Manager: "argocd", Operation: metav1.ManagedFieldsOperationApply, Time: &later, FieldsV1: fields},
		{Manager: "kubectl-create", Operation: metav1.ManagedFieldsOperationUpdate, Time: &morning, FieldsV1: fields},
		{Manager: "kube-controller-manager", Operation: metav1.ManagedFieldsOperationUpdate, Subresource: "status", FieldsV1: fields},
	}
	job.Spec.Parallelism, job.Status.Failed = ptr.To[int32](3), 1
	if got := strip(t, stripJob, job); !reflect.DeepEqual(got, want) {
		t.Errorf("stripped = %+v, want %+v", got, want)
	}
}

// The failures of a pod are the same whether or not the pod is stripped.
func TestStripPodKeepsTheFailures(t *testing.T) {
	t.Parallel()
	always := corev1.ContainerRestartPolicyAlways
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "nightly-1", UID: "p", CreationTimestamp: morning}}
	pod.Labels = map[string]string{batchv1.JobNameLabel: "nightly", "team": "data"}
	pod.Annotations = map[string]string{batchv1.JobCompletionIndexAnnotation: "3", "example.com/notes": "not the operator's"}
	pod.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubelet"}}
	pod.Spec.NodeName = "node-1"
	pod.Spec.InitContainers = []corev1.Container{{Name: "proxy", Image: "proxy:1", RestartPolicy: &always}}
	pod.Spec.Containers = []corev1.Container{{Name: "main", Image: "main:1", TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError}}
	ended := func(name, message string) corev1.ContainerStatus {
		return corev1.ContainerStatus{Name: name, ImageID: "sha256:1", RestartCount: 2, State: corev1.ContainerState{
			Terminated: &corev1.ContainerStateTerminated{ExitCode: 3, Message: message, FinishedAt: morning}}}
	}
	pod.Status = corev1.PodStatus{
		Phase: corev1.PodFailed, HostIP: "10.0.0.1",
		InitContainerStatuses: []corev1.ContainerStatus{ended("proxy", "x")},
		ContainerStatuses:     []corev1.ContainerStatus{ended("main", `{"level":"error","message":"no such table"}`)},
	}
	want := failure.FromPod(pod)
	got := strip(t, StripPod, pod.DeepCopy())
	if failures := failure.FromPod(got); len(want) == 0 || !reflect.DeepEqual(failures, want) {
		t.Errorf("failures of the stripped pod = %+v, want %+v", failures, want)
	}
	if got.Spec.NodeName != "" || got.Spec.Containers[0].Image != "" || got.Status.HostIP != "" || got.Status.ContainerStatuses[0].ImageID != "" || got.ManagedFields != nil || len(got.Annotations) != 1 || len(got.Labels) != 1 {
		t.Errorf("stripped = %+v, want only the fields that are read", got)
	}
}

func TestStripCronJobKeepsTheLastSuccess(t *testing.T) {
	t.Parallel()
	meta := metav1.ObjectMeta{Namespace: "team", Name: "nightly", UID: "c", ResourceVersion: "7", CreationTimestamp: metav1.Unix(1, 0)}
	succeeded := metav1.Unix(2, 0)
	want := &batchv1.CronJob{ObjectMeta: meta, Status: batchv1.CronJobStatus{LastSuccessfulTime: &succeeded}}
	full := want.DeepCopy()
	full.Labels, full.Annotations = map[string]string{"a": "b"}, map[string]string{"a": "b"}
	full.Spec.Schedule, full.Status.LastScheduleTime = "0 3 * * *", &succeeded
	if got := strip(t, stripCronJob, full); !reflect.DeepEqual(got, want) {
		t.Errorf("stripped = %+v, want %+v", got, want)
	}
}
