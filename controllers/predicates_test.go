// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
)

// A pod that runs changes often, and recovers from nothing by that.
func TestPodRecovered(t *testing.T) {
	t.Parallel()
	waits, runs := &corev1.Pod{}, &corev1.Pod{}
	waits.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main"}}
	runs.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	if !podRecovered.Update(event.UpdateEvent{ObjectOld: waits, ObjectNew: runs}) {
		t.Error("a container that starts is not passed on")
	}
	for range 50 {
		if podRecovered.Update(event.UpdateEvent{ObjectOld: runs, ObjectNew: runs}) {
			t.Fatal("a pod that recovers from nothing is passed on")
		}
	}
}
