// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// kind is the role of a container in its pod.
type kind int

const (
	regular kind = iota
	initContainer
	// sidecar is an init container that keeps running. The kubelet stops it after the
	// regular containers have ended: how it ends then is not a failure.
	sidecar
)

// container is a container of a pod, with its status.
type container struct {
	pod    *corev1.Pod
	kind   kind
	status corev1.ContainerStatus
	// logFallback is true if its termination message may be the end of its log.
	logFallback bool
}

// containers returns the containers of a pod that have a status.
func containers(pod *corev1.Pod) []container {
	sidecars, logFallbacks := map[string]bool{}, map[string]bool{}
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		sidecars[c.Name] = c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		logFallbacks[c.Name] = c.TerminationMessagePolicy == corev1.TerminationMessageFallbackToLogsOnError
	}
	var all []container
	for _, status := range pod.Status.InitContainerStatuses {
		k := initContainer
		if sidecars[status.Name] {
			k = sidecar
		}
		all = append(all, container{pod, k, status, logFallbacks[status.Name]})
	}
	for _, status := range pod.Status.ContainerStatuses {
		all = append(all, container{pod, regular, status, logFallbacks[status.Name]})
	}
	return all
}

// workEnded returns when the last regular container ended; the zero time if one has not.
func workEnded(pod *corev1.Pod) time.Time {
	var last time.Time
	for _, status := range pod.Status.ContainerStatuses {
		if status.State.Terminated == nil {
			return time.Time{}
		}
		if at := status.State.Terminated.FinishedAt.Time; at.After(last) {
			last = at
		}
	}
	return last
}

// runEnd is the end of one run of a container.
type runEnd struct {
	*corev1.ContainerStateTerminated
	// run identifies the run.
	run string
	// previous is true for the run before the last one.
	previous bool
}

// ends returns the ends of the last run and of the run before it.
func (c container) ends() []runEnd {
	var ends []runEnd
	if last := c.status.LastTerminationState.Terminated; last != nil {
		ends = append(ends, runEnd{last, c.lastRun(last), true})
	}
	if now := c.status.State.Terminated; now != nil {
		ends = append(ends, runEnd{now, c.run(now, c.status.RestartCount), false})
	}
	return ends
}

// run identifies a run of the container: by the runtime's id, or by its number if the
// runtime has lost it.
func (c container) run(end *corev1.ContainerStateTerminated, number int32) string {
	return fmt.Sprintf("%s/%s/%s", c.pod.UID, c.status.Name, cmp.Or(end.ContainerID, fmt.Sprint(number)))
}

// lastRun identifies the run before the present one. The kubelet counts a restart once it
// has happened, not while the container waits for it, unless the runtime has lost the
// run.
func (c container) lastRun(last *corev1.ContainerStateTerminated) string {
	number := c.status.RestartCount - 1
	if c.status.State.Waiting != nil && last.Reason != reasonLost {
		number = c.status.RestartCount
	}
	return c.run(last, number)
}

// waitID identifies the time that the container spends waiting before a run.
func (c container) waitID() string {
	last := c.status.LastTerminationState.Terminated
	if last == nil {
		return fmt.Sprintf("%s/%s/first", c.pod.UID, c.status.Name)
	}
	return "after/" + c.lastRun(last)
}

// waitingSince returns the time from which the container could have run.
func (c container) waitingSince() time.Time {
	since := scheduledAt(c.pod)
	latest := func(end *corev1.ContainerStateTerminated) {
		if end != nil && end.FinishedAt.After(since) {
			since = end.FinishedAt.Time
		}
	}
	latest(c.status.LastTerminationState.Terminated)
	for _, before := range c.pod.Status.InitContainerStatuses {
		latest(before.State.Terminated)
	}
	return since
}

// exitFailures returns the ends of the container that are failures.
func (c container) exitFailures(d deletion) []Failure {
	var failures []Failure
	for _, end := range c.ends() {
		if end.ExitCode == 0 || c.endedOnRequest(end.ContainerStateTerminated, d) {
			continue
		}
		message, fromContainer := c.messageOf(end.ContainerStateTerminated)
		failure := Failure{
			Key:        "exit/" + c.status.Name + "/" + codeOf(end.ContainerStateTerminated) + indexOf(c.pod),
			Occurrence: end.run,
			Code:       codeOf(end.ContainerStateTerminated),
			Message:    message,
			Source:     c.source(),
			At:         end.FinishedAt.Time,
		}
		if !fromContainer {
			failure.Log = &Log{Pod: c.pod.Name, Container: c.status.Name, Previous: end.previous}
		}
		failures = append(failures, failure)
	}
	return failures
}

// reportedRecords returns the records in the container's termination messages, however it
// ended. Rows of one message with the same id, or with the same content and no id, are
// one record that happened several times: its text is the first row's.
func (c container) reportedRecords() []Failure {
	var reports []Failure
	for _, end := range c.ends() {
		seen := map[string]int{}
		records, _ := Records(end.Message, c.mayBeLog(end.ContainerStateTerminated))
		for _, r := range records {
			if i, again := seen[RecordKey(&r)]; again {
				reports[i].addRow(r)
				continue
			}
			seen[RecordKey(&r)] = len(reports)
			at := end.FinishedAt.Time
			if at.IsZero() {
				at = lastChange(c.pod)
			}
			reports = append(reports, Failure{Key: RecordKey(&r), Occurrence: end.run, Times: 1, Source: c.source(), At: at, Report: &r})
		}
	}
	return reports
}

// mayBeLog reports whether a termination message may be the end of the container's log.
func (c container) mayBeLog(end *corev1.ContainerStateTerminated) bool {
	return c.logFallback && end.ExitCode != 0
}

// source returns the name of the container: pod/container.
func (c container) source() string { return c.pod.Name + "/" + c.status.Name }

// signalOffset is the exit code of a process that a signal ended, less the number of the
// signal.
const signalOffset = 128

const (
	reasonOOMKilled = "OOMKilled"
	// reasonLost is the reason of a run that the runtime no longer knows.
	reasonLost = "ContainerStatusUnknown"
)

// vagueReasons say less than the exit code does.
var vagueReasons = map[string]bool{"": true, "Error": true, "Completed": true, "Unknown": true}

// codeOf returns the reason of an end, or its exit code if the reason is vague. The
// reason is OOMKilled also for a container whose child process was killed.
func codeOf(end *corev1.ContainerStateTerminated) string {
	if vagueReasons[end.Reason] {
		return fmt.Sprintf("ExitCode:%d", end.ExitCode)
	}
	return end.Reason
}

// messageOf returns the text that the container left, or else a text about its exit code.
func (c container) messageOf(end *corev1.ContainerStateTerminated) (message string, fromContainer bool) {
	message = strings.TrimSpace(end.Message)
	if _, report := Records(message, c.mayBeLog(end)); message != "" && !report {
		return message, true
	}
	return exitMessage(end), false
}

// exitMessage describes an exit code.
func exitMessage(end *corev1.ContainerStateTerminated) string {
	if signal := syscall.Signal(end.ExitCode - signalOffset); end.ExitCode > signalOffset && end.ExitCode < signalOffset+32 {
		return fmt.Sprintf("the container was ended by signal %d (%s)", int(signal), signal)
	}
	return fmt.Sprintf("the container ended with exit code %d", end.ExitCode)
}
