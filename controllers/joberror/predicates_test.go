// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"
)

// A running pod changes often without recovering from anything.
func TestPodRecovered(t *testing.T) {
	t.Parallel()
	waiting, running := &corev1.Pod{}, &corev1.Pod{}
	waiting.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main"}}
	running.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
	if !podRecovered.Update(event.UpdateEvent{ObjectOld: waiting, ObjectNew: running}) {
		t.Error("the event of a container that starts is dropped")
	}
	for range 50 {
		if podRecovered.Update(event.UpdateEvent{ObjectOld: running, ObjectNew: running}) {
			t.Fatal("the event of a pod that recovers from nothing passes")
		}
	}
}
