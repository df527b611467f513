// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// kind is what a container is to its pod.
type kind int

const (
	regular kind = iota
	initial
	// sidecar is an init container that keeps running. It is told to end when
	// the regular containers have, and how it does so then is no failure.
	sidecar
)

// container is one of a pod, with its status.
type container struct {
	pod    *corev1.Pod
	kind   kind
	status corev1.ContainerStatus
}

// containers are those of a pod that have a status.
func containers(pod *corev1.Pod) []container {
	sidecars := map[string]bool{}
	for _, c := range pod.Spec.InitContainers {
		sidecars[c.Name] = c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways
	}
	var all []container
	for _, status := range pod.Status.InitContainerStatuses {
		k := initial
		if sidecars[status.Name] {
			k = sidecar
		}
		all = append(all, container{pod, k, status})
	}
	for _, status := range pod.Status.ContainerStatuses {
		all = append(all, container{pod, regular, status})
	}
	return all
}

// ended is when the last regular container ended; the zero time where one has
// not.
func ended(pod *corev1.Pod) time.Time {
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

// exits are the ends of a container that are failures: that of the run that it
// is in, and of the run before.
func (c container) exits() []Failure {
	var failures []Failure
	restarts := c.status.RestartCount
	for _, run := range []struct {
		number int32
		end    *corev1.ContainerStateTerminated
	}{{restarts - 1, c.status.LastTerminationState.Terminated}, {restarts, c.status.State.Terminated}} {
		if run.end == nil || run.end.ExitCode == 0 || c.toldToEnd(run.end) {
			continue
		}
		failures = append(failures, Failure{
			Key:        "exit/" + c.status.Name + "/" + codeOf(run.end) + indexOf(c.pod),
			Occurrence: fmt.Sprintf("%s/%s/%d", c.pod.UID, c.status.Name, run.number),
			Code:       codeOf(run.end),
			Message:    messageOf(run.end),
			Source:     c.source(),
			At:         run.end.FinishedAt.Time,
		})
	}
	return failures
}

// toldToEnd tells whether a container ended because it was told to: with its
// pod, which is being deleted, or as a sidecar of containers that had ended.
func (c container) toldToEnd(end *corev1.ContainerStateTerminated) bool {
	if end.Reason == reasonOOMKilled {
		return false
	}
	at := end.FinishedAt.Time
	if last := ended(c.pod); c.kind == sidecar && !last.IsZero() && !at.Before(last) {
		return true
	}
	if c.pod.DeletionTimestamp == nil || !killed(end.ExitCode) {
		return false
	}
	grace := time.Duration(0)
	if seconds := c.pod.DeletionGracePeriodSeconds; seconds != nil {
		grace = time.Duration(*seconds) * time.Second
	}
	return !at.Before(c.pod.DeletionTimestamp.Add(-grace))
}

// killed tells whether an exit code is that of a process that the kubelet ended.
func killed(code int32) bool {
	return code == signalled+int32(syscall.SIGKILL) || code == signalled+int32(syscall.SIGTERM)
}

// source names a container: pod/container.
func (c container) source() string { return c.pod.Name + "/" + c.status.Name }

// signalled is what is added to a signal's number in the exit code of a process
// that it ended.
const signalled = 128

const reasonOOMKilled = "OOMKilled"

// vague are reasons that say less than the exit code does.
var vague = map[string]bool{"": true, "Error": true, "Completed": true, "Unknown": true}

// codeOf is the reason of an end, or its exit code. Out of memory is a reason
// like others: it stands there for a process whose child was killed, too.
func codeOf(end *corev1.ContainerStateTerminated) string {
	if vague[end.Reason] {
		return fmt.Sprintf("ExitCode:%d", end.ExitCode)
	}
	return end.Reason
}

// messageOf is what the container left, or what its exit code says.
func messageOf(end *corev1.ContainerStateTerminated) string {
	if message := strings.TrimSpace(end.Message); message != "" {
		return message
	}
	if signal := syscall.Signal(end.ExitCode - signalled); end.ExitCode > signalled && end.ExitCode < signalled+32 {
		return fmt.Sprintf("the container was ended by signal %d (%s)", int(signal), signal)
	}
	return fmt.Sprintf("the container ended with exit code %d", end.ExitCode)
}
