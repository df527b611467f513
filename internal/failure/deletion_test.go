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

// withStatusWritten sets when the kubelet wrote the status, by the API server's clock.
func withStatusWritten(at metav1.Time) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubelet", Subresource: "status", Time: &at}}
	}
}

// The deletion is requested at start, by the API server's clock. The containers end by
// the node's clock, which may be off.
func TestKeepsOnlyFailuresBeforeTheDeletion(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-time.Hour, -7 * time.Second, 0, 7 * time.Second, time.Hour} {
		onNode := func(d time.Duration) metav1.Time { return after(d + skew) }
		for name, tc := range map[string]struct {
			pod  *corev1.Pod
			want int
		}{
			"stopped a moment after the request": {newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(time.Second)),
				terminated("main", exit(1, "Error", "", onNode(time.Second)))), 0},
			"killed at the end of the grace period": {newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(31*time.Second)),
				terminated("main", exit(137, "Error", "", onNode(30*time.Second)))), 0},
			"failed and written before the request": {newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(-5*time.Second)),
				terminated("main", exit(3, "Error", "", onNode(-5*time.Second)))), 1},
			"failed before the request, and the other container was stopped": {newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(30*time.Second)),
				terminated("main", exit(3, "Error", "", onNode(-time.Minute))), terminated("other", exit(143, "Error", "", onNode(30*time.Second)))), 1},
		} {
			t.Run(fmt.Sprintf("clock off by %s: %s", skew, name), func(t *testing.T) {
				t.Parallel()
				if got := FromPod(tc.pod); len(got) != tc.want {
					t.Errorf("FromPod returned %d failures, want %d: %+v", len(got), tc.want, got)
				}
			})
		}
	}
}

// Long after the container ended, the kubelet's last delete moves deletionTimestamp and
// sets the grace period to 0.
func TestDeletionMemoryKeepsTheTimeOfTheRequest(t *testing.T) {
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
			t.Errorf("state %d: FromPod = %+v, want no failure", i, got)
		}
	}
	m.Forget(states[0].UID)
	// Without the memory, the container seems to have failed long before the request.
	if got := m.FromPod(states[2]); len(got) != 1 {
		t.Errorf("after Forget: FromPod = %+v, want 1 failure", got)
	}
}

// The kubelet could not reach the API server, so it wrote the end of the container only
// after the deletion was requested.
func TestDeletionMemoryKeepsTheOffsetOfTheNodesClock(t *testing.T) {
	t.Parallel()
	for _, skew := range []time.Duration{-7 * time.Second, 0, 7 * time.Second} {
		running := newPod(withStatusWritten(after(-time.Hour)), func(p *corev1.Pod) {
			p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", State: corev1.ContainerState{
				Running: &corev1.ContainerStateRunning{StartedAt: after(-time.Hour + skew)},
			}}}
		})
		failedBefore := newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(5*time.Second)), terminated("main", exit(3, "Error", "", after(-time.Minute+skew))))
		stopped := newPod(withDeletionTimestamp(after(30*time.Second)), withStatusWritten(after(5*time.Second)), terminated("main", exit(3, "Error", "", after(time.Second+skew))))
		for state, want := range map[*corev1.Pod]int{failedBefore: 1, stopped: 0} {
			m := NewDeletionMemory()
			m.FromPod(running)
			if got := m.FromPod(state); len(got) != want {
				t.Errorf("clock off by %s: FromPod returned %d failures, want %d", skew, len(got), want)
			}
		}
	}
}
