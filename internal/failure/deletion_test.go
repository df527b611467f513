// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// written says when the kubelet wrote the status, by the API server's clock.
func withStatusWritten(at metav1.Time) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubelet", Subresource: "status", Time: &at}}
	}
}

// A node's clock may be off. The pod is deleted at start; both containers know
// nothing but the node's clock.
func TestWhatFailedBeforeTheDeletionIsToldFromWhatEndedByIt(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-time.Hour, -7 * time.Second, 0, 7 * time.Second, time.Hour} {
		onNode := func(d time.Duration) metav1.Time { return after(d + skew) }
		for name, tc := range map[string]struct {
			pod  *corev1.Pod
			want int
		}{
			"it ends a moment after": {newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(time.Second)),
				terminated("main", exit(1, "Error", "", onNode(time.Second)))), 0},
			"it ends at the end of the grace period": {newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(31*time.Second)),
				terminated("main", exit(137, "Error", "", onNode(30*time.Second)))), 0},
			"it failed before, and the status said so": {newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(-5*time.Second)),
				terminated("main", exit(3, "Error", "", onNode(-5*time.Second)))), 1},
			"it failed before, and the other one ends by it": {newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(30*time.Second)),
				terminated("main", exit(3, "Error", "", onNode(-time.Minute))), terminated("other", exit(143, "Error", "", onNode(30*time.Second)))), 1},
		} {
			t.Run(fmt.Sprintf("clock off by %s: %s", skew, name), func(t *testing.T) {
				t.Parallel()
				if got := FromPod(tc.pod); len(got) != tc.want {
					t.Errorf("got %d failures, want %d: %+v", len(got), tc.want, got)
				}
			})
		}
	}
}

// The kubelet's last delete moves deletionTimestamp, with a grace period of 0, long
// after the container ended.
func TestMemoryOfTheRequest(t *testing.T) {
	t.Parallel()
	m := NewDeletionMemory()
	states := []*corev1.Pod{
		newPod(),
		newPod(withDeletionTimestamp(after(30 * time.Second))),
		newPod(withDeletionTimestamp(after(time.Hour)), terminated("main", exit(1, "Error", "", after(time.Second))), func(p *corev1.Pod) {
			p.DeletionGracePeriodSeconds = ptr.To[int64](0)
		}),
	}
	for i, state := range states {
		if got := m.FromPod(state); len(got) != 0 {
			t.Errorf("state %d: got %+v", i, got)
		}
	}
	m.Forget(states[0].UID)
	if got := m.FromPod(states[2]); len(got) != 1 {
		t.Errorf("without a memory it seems to have failed long before: got %+v", got)
	}
}

// The container failed, the API server could not be reached, and by the time that the
// status is written the pod is being deleted.
func TestMemoryOfTheNodesClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-7 * time.Second, 0, 7 * time.Second} {
		runs := newPod(withStatusWritten(after(-time.Hour)), func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", State: corev1.ContainerState{
				Running: &corev1.ContainerStateRunning{StartedAt: after(-time.Hour + skew)},
			}}}
		})
		late := newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(5*time.Second)), terminated("main", exit(3, "Error", "", after(-time.Minute+skew))))
		told := newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(5*time.Second)), terminated("main", exit(3, "Error", "", after(time.Second+skew))))
		for state, want := range map[*corev1.Pod]int{late: 1, told: 0} {
			m := NewDeletionMemory()
			m.FromPod(runs)
			if got := m.FromPod(state); len(got) != want {
				t.Errorf("clock off by %s: got %d failures, want %d", skew, len(got), want)
			}
		}
	}
}
