// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// waitCodes maps the reasons why a container can't start to the code of the failure. The
// container may still start, so the failure is recorded only if it lasts. ErrImagePull
// and ImagePullBackOff alternate: they are one failure.
var waitCodes = map[string]string{
	"ErrImagePull":               "ImagePullBackOff",
	"ImagePullBackOff":           "ImagePullBackOff",
	"ErrImageNeverPull":          "ErrImageNeverPull",
	"InvalidImageName":           "InvalidImageName",
	"CreateContainerConfigError": "CreateContainerConfigError",
	"CreateContainerError":       "CreateContainerError",
}

// reasonNodeLost is the reason of a pod whose node does not answer. The pod's phase does
// not change, since nobody knows it.
const reasonNodeLost = "NodeLost"

// FromPod returns the failures of a pod, and the records that its containers report.
func FromPod(pod *corev1.Pod) []Failure { return fromPod(pod, deletionOf(pod)) }

func fromPod(pod *corev1.Pod, d deletion) []Failure {
	var failures, reports []Failure
	for _, c := range containers(pod) {
		reports = append(reports, c.reportedRecords()...)
		failures = append(failures, c.exitFailures(d)...)
		failures = append(failures, c.waitFailures()...)
	}
	failures = append(failures, unschedulable(pod)...)
	if failure, ok := disruption(pod); ok {
		// The ends of its containers are a consequence.
		failures = []Failure{failure}
	}
	facts := factsOf(pod)
	for i := range failures {
		failures[i].PodLevel, failures[i].Pod, failures[i].Subject = true, facts, pod.UID
		if failures[i].At.IsZero() {
			failures[i].At = lastChange(pod)
		}
		if index := pod.Annotations[batchv1.JobCompletionIndexAnnotation]; index != "" {
			failures[i].Message += " (index " + index + ")"
		}
	}
	return append(failures, reports...)
}

// CanRecover reports whether a Job may recover from failures with this code: the same pod
// may start after all, or the next one may be created.
func CanRecover(code string) bool {
	return code == corev1.PodReasonUnschedulable || code == reasonFailedCreate || code != "" && waitCodes[code] == code || slices.Contains(PodEventReasons, code)
}

// FailedCreateKey returns the key of the failure to create the pods of a Job.
func FailedCreateKey() string { return JobKey(reasonFailedCreate) }

// FailedCreate reports whether the code means that the pods of a Job can't be created.
func FailedCreate(code string) bool { return code == reasonFailedCreate }

// RecoveredKeys returns the keys of the transient failures that a pod has recovered from
// or can no longer have: sorted, without duplicates.
func RecoveredKeys(pod *corev1.Pod) []string {
	var keys []string
	if c := condition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionTrue {
		keys = append(keys, unschedulableKey(pod))
	}
	for _, c := range containers(pod) {
		if !c.hasStarted() {
			continue
		}
		for _, reason := range PodEventReasons {
			keys = append(keys, podEventKey(reason, pod))
		}
		for reason, code := range waitCodes {
			if reason == code {
				keys = append(keys, c.waitKey(code))
			}
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// WaitState holds the keys of the transient failures that a pod or Job shows, and of those
// it has recovered from.
type WaitState struct {
	UID                types.UID
	Waiting, Recovered map[string]bool
	// Since is when it recovered: later failures last. Zero means that it recovered from
	// all of them.
	Since time.Time
	// Ended is true if the pod has ended or is being deleted: it will not recover.
	Ended bool
}

// WaitStateOf returns the wait state of a pod.
func WaitStateOf(pod *corev1.Pod) WaitState {
	w := WaitState{
		UID: pod.UID, Waiting: map[string]bool{}, Recovered: map[string]bool{},
		Ended: pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded,
	}
	for _, f := range waits(pod) {
		w.Waiting[f.Key] = true
	}
	for _, key := range RecoveredKeys(pod) {
		w.Recovered[key] = true
	}
	return w
}

// waits returns the transient failures that the status of a pod shows.
func waits(pod *corev1.Pod) []Failure {
	all := unschedulable(pod)
	for _, c := range containers(pod) {
		all = append(all, c.waitFailures()...)
	}
	return all
}

// WaitingKeys returns the keys of the transient failures that a pod shows: sorted, without
// duplicates. A disrupted pod waits for nothing.
func WaitingKeys(pod *corev1.Pod) []string {
	if _, disrupted := disruption(pod); disrupted {
		return nil
	}
	var keys []string
	for _, f := range waits(pod) {
		keys = append(keys, f.Key)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// disruption returns the failure of a pod that was evicted, preempted or rejected by its
// node, or whose node was lost.
func disruption(pod *corev1.Pod) (Failure, bool) {
	failure := Failure{Occurrence: string(pod.UID), Source: pod.Name, Disruption: true}
	if c := condition(pod, corev1.DisruptionTarget); c != nil && c.Status == corev1.ConditionTrue && pod.Status.Phase != corev1.PodSucceeded {
		failure.Code, failure.Message, failure.At = c.Reason, c.Message, c.LastTransitionTime.Time
	}
	lost := pod.Status.Reason == reasonNodeLost && failure.Code == ""
	if lost || pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "" {
		// The kubelet's reason is what people know: Evicted.
		failure.Code, failure.Message = pod.Status.Reason, pod.Status.Message
	}
	if failure.Code == "" {
		return failure, false
	}
	failure.Key = "pod/" + failure.Code + indexOf(pod)
	return failure, true
}

// lastChange returns when the pod's conditions last changed.
func lastChange(pod *corev1.Pod) time.Time {
	last := pod.CreationTimestamp.Time
	for _, c := range pod.Status.Conditions {
		if at := c.LastTransitionTime.Time; at.After(last) {
			last = at
		}
	}
	return last
}

// waitFailures returns why the container can't start.
func (c container) waitFailures() []Failure {
	state := c.status.State.Waiting
	if state == nil || waitCodes[state.Reason] == "" {
		return nil
	}
	code := waitCodes[state.Reason]
	return []Failure{{
		Key: c.waitKey(code), Occurrence: c.waitID(),
		Code: code, Message: strings.TrimSpace(state.Message), Source: c.source(), At: c.waitingSince(), Transient: true,
	}}
}

// hasStarted reports whether the container runs or has run. When its pod is deleted, a
// container that never started is shown as terminated, without a time.
func (c container) hasStarted() bool {
	end := c.status.State.Terminated
	return c.status.State.Running != nil || end != nil && !(end.Reason == reasonLost && end.FinishedAt.IsZero())
}

func (c container) waitKey(code string) string {
	return "wait/" + c.status.Name + "/" + code + indexOf(c.pod)
}

func unschedulableKey(pod *corev1.Pod) string {
	return "pod/" + corev1.PodReasonUnschedulable + indexOf(pod)
}

// scheduledAt returns when the pod was scheduled.
func scheduledAt(pod *corev1.Pod) time.Time {
	if c := condition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionTrue {
		return c.LastTransitionTime.Time
	}
	return pod.CreationTimestamp.Time
}

// unschedulable returns why no node takes the pod.
func unschedulable(pod *corev1.Pod) []Failure {
	c := condition(pod, corev1.PodScheduled)
	if c == nil || c.Status != corev1.ConditionFalse || c.Reason != corev1.PodReasonUnschedulable {
		return nil
	}
	return []Failure{{
		Key: unschedulableKey(pod), Occurrence: string(pod.UID) + "/" + corev1.PodReasonUnschedulable, Code: c.Reason, Message: c.Message,
		Source: pod.Name, At: c.LastTransitionTime.Time, Transient: true,
	}}
}

func condition(pod *corev1.Pod, kind corev1.PodConditionType) *corev1.PodCondition {
	for i := range pod.Status.Conditions {
		if pod.Status.Conditions[i].Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// indexOf returns the completion index of an Indexed Job's pod as a part of a key: each
// index is separate work.
func indexOf(pod *corev1.Pod) string {
	if index := pod.Annotations[batchv1.JobCompletionIndexAnnotation]; index != "" {
		return "/" + index
	}
	return ""
}
