// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
	"k8s.io/utils/ptr"
)

// clockSlack is the error of comparing times of two clocks in whole seconds.
const clockSlack = 2 * time.Second

// maxRememberedPods limits the pods in a DeletionMemory.
const maxRememberedPods = 20_000

// deletion distinguishes a container that ended because its pod was deleted from one that
// had failed before.
type deletion struct {
	// requested is when the deletion was requested, by the API server's clock; zero if it
	// was not.
	requested time.Time
	// ahead is the least time that the node's clock is ahead of the API server's; negative
	// if it is behind. It is known only if dated is true.
	ahead time.Duration
	dated bool
	// unseen is true if the kubelet did not know of the deletion when it wrote the status.
	unseen bool
}

// deletionOf reads the deletion of a pod from its present state.
func deletionOf(pod *corev1.Pod) deletion {
	var d deletion
	if pod.DeletionTimestamp != nil {
		d.requested = deletionRequestedAt(pod)
		d.unseen = pod.Status.ObservedGeneration > 0 && pod.Status.ObservedGeneration < pod.Generation
	}
	// The API server notes when the kubelet wrote the status. The latest time of the
	// kubelet in that status is from just before the write.
	if written, latest := statusWritten(pod), latestOnNode(pod); !written.IsZero() && !latest.IsZero() {
		d.ahead, d.dated = latest.Sub(written), true
	}
	return d
}

// deletionRequestedAt returns when the deletion of a pod was requested, or the earliest
// possible time.
func deletionRequestedAt(pod *corev1.Pod) time.Time {
	grace := ptr.Deref(pod.DeletionGracePeriodSeconds, 0)
	if grace == 0 {
		// The pod is deleted by force, or this is the kubelet's last delete.
		grace = ptr.Deref(pod.Spec.TerminationGracePeriodSeconds, corev1.DefaultTerminationGracePeriodSeconds)
	}
	return pod.DeletionTimestamp.Add(-time.Duration(grace) * time.Second)
}

// DeletionMemory reads pods as FromPod does, and remembers what their last state no longer
// shows. The kubelet's last delete of a pod whose containers have ended moves
// deletionTimestamp to the present and sets the grace period to 0. A kubelet that could
// not reach the API server for a while writes late.
type DeletionMemory struct {
	mu   sync.Mutex
	pods *lru.Cache
}

// NewDeletionMemory returns a memory of the latest 20,000 pods.
func NewDeletionMemory() *DeletionMemory { return &DeletionMemory{pods: lru.New(maxRememberedPods)} }

// FromPod returns the failures of a pod, and the records that its containers report.
func (m *DeletionMemory) FromPod(pod *corev1.Pod) []Failure {
	return fromPod(pod, m.deletionOf(pod))
}

func (m *DeletionMemory) deletionOf(pod *corev1.Pod) deletion {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := deletionOf(pod)
	if before, known := m.pods.Get(pod.UID); known {
		now = before.(deletion).merge(now)
	}
	m.pods.Add(pod.UID, now)
	return now
}

// merge merges what is known about a deletion with a later state of the pod.
func (d deletion) merge(later deletion) deletion {
	if !d.requested.IsZero() {
		later.requested = d.requested
	}
	if d.dated && (!later.dated || d.ahead > later.ahead) {
		later.ahead, later.dated = d.ahead, true
	}
	return later
}

// Forget drops a pod that is gone.
func (m *DeletionMemory) Forget(pod types.UID) { m.pods.Remove(pod) }

// endedOnRequest reports whether a container ended because it was stopped, whatever its
// exit code: its pod is being deleted, or it is a sidecar and the work is done.
func (c container) endedOnRequest(end *corev1.ContainerStateTerminated, d deletion) bool {
	switch {
	case end.Reason == reasonOOMKilled:
		return false
	case c.kind == sidecar && c.endedAfterWork(end):
		return true
	case d.requested.IsZero() || d.unseen:
		return false
	case end.FinishedAt.IsZero():
		// The runtime does not know the run: it never began, or was cut short.
		return true
	default:
		return !end.FinishedAt.Add(-d.ahead).Before(d.requested.Add(-clockSlack))
	}
}

// endedAfterWork reports whether a run ended after the regular containers.
func (c container) endedAfterWork(end *corev1.ContainerStateTerminated) bool {
	last := workEnded(c.pod)
	return !last.IsZero() && !end.FinishedAt.Time.Before(last)
}

// StatusWriter returns the entry of managedFields with the kubelet's last write of the
// status, or else the last write of anybody; nil if there is none.
func StatusWriter(managers []metav1.ManagedFieldsEntry) *metav1.ManagedFieldsEntry {
	var last *metav1.ManagedFieldsEntry
	for i := range managers {
		m := &managers[i]
		if m.Subresource != "status" || m.Time == nil {
			continue
		}
		if m.Manager == kubelet {
			return m
		}
		if last == nil || last.Time.Before(m.Time) {
			last = m
		}
	}
	return last
}

// kubelet is the field manager of a kubelet's writes.
const kubelet = "kubelet"

func statusWritten(pod *corev1.Pod) time.Time {
	if writer := StatusWriter(pod.ManagedFields); writer != nil {
		return writer.Time.Time
	}
	return time.Time{}
}

// nodeConditions are the conditions of a pod whose times are the kubelet's.
var nodeConditions = map[corev1.PodConditionType]bool{
	corev1.PodReady: true, corev1.ContainersReady: true, corev1.PodInitialized: true, corev1.PodReadyToStartContainers: true,
}

// latestOnNode returns the latest time in a pod's status that comes from the node's clock.
func latestOnNode(pod *corev1.Pod) time.Time {
	var latest time.Time
	see := func(at metav1.Time) {
		if at.After(latest) {
			latest = at.Time
		}
	}
	for _, c := range pod.Status.Conditions {
		if nodeConditions[c.Type] {
			see(c.LastTransitionTime)
		}
	}
	for _, c := range containers(pod) {
		for _, state := range []corev1.ContainerState{c.status.State, c.status.LastTerminationState} {
			if state.Running != nil {
				see(state.Running.StartedAt)
			}
			if state.Terminated != nil {
				see(state.Terminated.FinishedAt)
			}
		}
	}
	return latest
}
