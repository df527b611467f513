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

// kind is what a container is to its pod.
type kind int

const (
	regular kind = iota
	initContainer
	// sidecar is an init container that keeps running. It is told to end when
	// the regular containers have, and how it does so then is no failure.
	sidecar
)

// container is one of a pod, with its status.
type container struct {
	pod    *corev1.Pod
	kind   kind
	status corev1.ContainerStatus
	// logs says that the end of the log may stand in for its termination
	// message.
	logs bool
}

// containers are those of a pod that have a status.
func containers(pod *corev1.Pod) []container {
	sidecars, logs := map[string]bool{}, map[string]bool{}
	for _, c := range slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers) {
		sidecars[c.Name] = c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
		logs[c.Name] = c.TerminationMessagePolicy == corev1.TerminationMessageFallbackToLogsOnError
	}
	var all []container
	for _, status := range pod.Status.InitContainerStatuses {
		k := initContainer
		if sidecars[status.Name] {
			k = sidecar
		}
		all = append(all, container{pod, k, status, logs[status.Name]})
	}
	for _, status := range pod.Status.ContainerStatuses {
		all = append(all, container{pod, regular, status, logs[status.Name]})
	}
	return all
}

// workEnded is when the last regular container ended; the zero time where one has
// not.
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

// end is how one run of a container ended.
type end struct {
	*corev1.ContainerStateTerminated
	run string
	// previous says that it is that of the run before.
	previous bool
}

// ends are those of the run that the container is in, and of the run before.
func (c container) ends() []end {
	var ends []end
	if last := c.status.LastTerminationState.Terminated; last != nil {
		ends = append(ends, end{last, c.lastRun(last), true})
	}
	if now := c.status.State.Terminated; now != nil {
		ends = append(ends, end{now, c.run(now, c.status.RestartCount), false})
	}
	return ends
}

// run tells a run of a container from the next one: by the runtime's id for it,
// and by its number where the runtime has lost it.
func (c container) run(end *corev1.ContainerStateTerminated, number int32) string {
	return fmt.Sprintf("%s/%s/%s", c.pod.UID, c.status.Name, cmp.Or(end.ContainerID, fmt.Sprint(number)))
}

// lastRun is the run before. The kubelet counts a restart once it has happened,
// not while the container waits for it; but for one that the runtime has lost.
func (c container) lastRun(last *corev1.ContainerStateTerminated) string {
	number := c.status.RestartCount - 1
	if c.status.State.Waiting != nil && last.Reason != reasonLost {
		number = c.status.RestartCount
	}
	return c.run(last, number)
}

// wait tells what a container waits for from what it waited for before its last
// run.
func (c container) waitID() string {
	last := c.status.LastTerminationState.Terminated
	if last == nil {
		return fmt.Sprintf("%s/%s/first", c.pod.UID, c.status.Name)
	}
	return "after/" + c.lastRun(last)
}

// waitingSince is from when on a container could have run.
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

// exits are the ends of a container that are failures.
func (c container) exitFailures(d deletion) []Failure {
	var failures []Failure
	for _, end := range c.ends() {
		if end.ExitCode == 0 || c.endedOnRequest(end.ContainerStateTerminated, d) {
			continue
		}
		message, said := c.messageOf(end.ContainerStateTerminated)
		failure := Failure{
			Key:        "exit/" + c.status.Name + "/" + codeOf(end.ContainerStateTerminated) + indexOf(c.pod),
			Occurrence: end.run,
			Code:       codeOf(end.ContainerStateTerminated),
			Message:    message,
			Source:     c.source(),
			At:         end.FinishedAt.Time,
		}
		if !said {
			failure.Log = &Log{Pod: c.pod.Name, Container: c.status.Name, Previous: end.previous}
		}
		failures = append(failures, failure)
	}
	return failures
}

// reports returns the records that a container left in its termination messages,
// however it ended. Rows of one message with the same id, or without one and with
// the same content, are one record that happened as often: the first row gives
// the text.
func (c container) reportedRecords() []Failure {
	var reports []Failure
	for _, end := range c.ends() {
		seen := map[string]int{}
		records, _ := Records(end.Message, c.mayBeLog(end.ContainerStateTerminated))
		for _, r := range records {
			if i, again := seen[RecordKey(r)]; again {
				reports[i].addRow(r)
				continue
			}
			seen[RecordKey(r)] = len(reports)
			at := end.FinishedAt.Time
			if at.IsZero() {
				at = lastChange(c.pod)
			}
			reports = append(reports, Failure{Key: RecordKey(r), Occurrence: end.run, Times: 1, Source: c.source(), At: at, Report: &r})
		}
	}
	return reports
}

// mayBeLog tells whether a message may be the end of the container's log.
func (c container) mayBeLog(end *corev1.ContainerStateTerminated) bool {
	return c.logs && end.ExitCode != 0
}

// source names a container: pod/container.
func (c container) source() string { return c.pod.Name + "/" + c.status.Name }

// signalled is what is added to a signal's number in the exit code of a process
// that it ended.
const signalled = 128

const (
	reasonOOMKilled = "OOMKilled"
	// reasonLost is that of a run that the runtime knows nothing of any more.
	reasonLost = "ContainerStatusUnknown"
)

// vagueReasons are reasons that say less than the exit code does.
var vagueReasons = map[string]bool{"": true, "Error": true, "Completed": true, "Unknown": true}

// codeOf is the reason of an end, or its exit code. Out of memory is a reason
// like others: it stands there for a process whose child was killed, too.
func codeOf(end *corev1.ContainerStateTerminated) string {
	if vagueReasons[end.Reason] {
		return fmt.Sprintf("ExitCode:%d", end.ExitCode)
	}
	return end.Reason
}

// messageOf is the text that the container left, or what its exit code says; said
// tells which.
func (c container) messageOf(end *corev1.ContainerStateTerminated) (message string, said bool) {
	message = strings.TrimSpace(end.Message)
	if _, report := Records(message, c.mayBeLog(end)); message != "" && !report {
		return message, true
	}
	return exitMessage(end), false
}

// exitMessage is what an exit code says.
func exitMessage(end *corev1.ContainerStateTerminated) string {
	if signal := syscall.Signal(end.ExitCode - signalled); end.ExitCode > signalled && end.ExitCode < signalled+32 {
		return fmt.Sprintf("the container was ended by signal %d (%s)", int(signal), signal)
	}
	return fmt.Sprintf("the container ended with exit code %d", end.ExitCode)
}
