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

// waits maps the reasons for which a container can't start to the code of the
// failure. It may start later after all, so each counts only once it has lasted.
// ErrImagePull and ImagePullBackOff take turns: they are one.
var waitCodes = map[string]string{
	"ErrImagePull":               "ImagePullBackOff",
	"ImagePullBackOff":           "ImagePullBackOff",
	"ErrImageNeverPull":          "ErrImageNeverPull",
	"InvalidImageName":           "InvalidImageName",
	"CreateContainerConfigError": "CreateContainerConfigError",
	"CreateContainerError":       "CreateContainerError",
}

// reasonNodeLost is that of a pod whose node does not answer. Its phase stays what
// it was: nobody knows.
const reasonNodeLost = "NodeLost"

// PodLevel reads what went wrong with a pod, and what its containers report.
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
		// How its containers ended follows from it.
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

// Passes reports whether a code is that of a failure that a Job may recover from
// without a new pod or with its next one.
func CanRecover(code string) bool {
	return code == corev1.PodReasonUnschedulable || code == reasonFailedCreate || code != "" && waitCodes[code] == code || slices.Contains(PodEventReasons, code)
}

// FailedCreate reports whether a code says that the pods of a Job can't be created.
func FailedCreate(code string) bool { return code == reasonFailedCreate }

// Overcome returns the keys of the failures that a pod can't have any more, or has
// recovered from: sorted, each once.
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

// WaitState says which failures that may pass a pod shows, and which it has recovered
// from, by their keys.
type WaitState struct {
	UID             types.UID
	Waiting, Recovered map[string]bool
	// Since is when it recovered: what happened after that is not overcome. The zero
	// time is always.
	Since time.Time
	// Ended says that the pod has ended or is being deleted: it will not recover.
	Ended bool
}

// WaitStateOf reads what a pod waits for.
func WaitStateOf(pod *corev1.Pod) WaitState {
	w := WaitState{
		UID: pod.UID, Waiting: map[string]bool{}, Recovered: map[string]bool{},
		Ended: pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodFailed || pod.Status.Phase == corev1.PodSucceeded,
	}
	for _, f := range unschedulable(pod) {
		w.Waiting[f.Key] = true
	}
	for _, c := range containers(pod) {
		for _, f := range c.waitFailures() {
			w.Waiting[f.Key] = true
		}
	}
	for _, key := range RecoveredKeys(pod) {
		w.Recovered[key] = true
	}
	return w
}

// taken is a failure of the whole pod: it was evicted, preempted, refused by its
// node, or its node was lost.
func disruption(pod *corev1.Pod) (Failure, bool) {
	failure := Failure{Occurrence: string(pod.UID), Source: pod.Name, Disruption: true}
	if c := condition(pod, corev1.DisruptionTarget); c != nil && c.Status == corev1.ConditionTrue && pod.Status.Phase != corev1.PodSucceeded {
		failure.Code, failure.Message, failure.At = c.Reason, c.Message, c.LastTransitionTime.Time
	}
	lost := pod.Status.Reason == reasonNodeLost && failure.Code == ""
	if lost || pod.Status.Phase == corev1.PodFailed && pod.Status.Reason != "" {
		// The kubelet's own word is nearer to what people know: Evicted.
		failure.Code, failure.Message = pod.Status.Reason, pod.Status.Message
	}
	if failure.Code == "" {
		return failure, false
	}
	failure.Key = "pod/" + failure.Code + indexOf(pod)
	return failure, true
}

// changed is when the pod's conditions last did.
func lastChange(pod *corev1.Pod) time.Time {
	last := pod.CreationTimestamp.Time
	for _, c := range pod.Status.Conditions {
		if at := c.LastTransitionTime.Time; at.After(last) {
			last = at
		}
	}
	return last
}

// waits is what a container can't start for.
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

// ran reports whether the container runs or has run. One that never started is shown
// as ended, with no time, when its pod is deleted.
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

// scheduled is when the pod got a node.
func scheduledAt(pod *corev1.Pod) time.Time {
	if c := condition(pod, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionTrue {
		return c.LastTransitionTime.Time
	}
	return pod.CreationTimestamp.Time
}

// unscheduled is that no node takes the pod.
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

// indexOf is the index of a pod of an Indexed Job, as a part of a key: each index
// is work of its own.
func indexOf(pod *corev1.Pod) string {
	if index := pod.Annotations[batchv1.JobCompletionIndexAnnotation]; index != "" {
		return "/" + index
	}
	return ""
}
