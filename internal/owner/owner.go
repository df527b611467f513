// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package owner finds the Job of a pod and the CronJob of a Job.
package owner

import (
	"strings"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// CronJob returns the name of the CronJob that controls a Job, in any version of its
// API; empty if none does.
func CronJob(job *batchv1.Job) string {
	controller := metav1.GetControllerOf(job)
	if controller == nil || controller.Kind != "CronJob" || !strings.HasPrefix(controller.APIVersion, batchv1.GroupName+"/") {
		return ""
	}
	return controller.Name
}

// Job returns the name and the UID of the Job that controls a pod; no UID if none does.
func Job(pod *corev1.Pod) (types.NamespacedName, types.UID) {
	controller := metav1.GetControllerOf(pod)
	if controller == nil || controller.Kind != "Job" || controller.APIVersion != batchv1.SchemeGroupVersion.String() {
		return types.NamespacedName{}, ""
	}
	return types.NamespacedName{Namespace: pod.Namespace, Name: controller.Name}, controller.UID
}
