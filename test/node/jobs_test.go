//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"joberror.io/operator/test/harness"
)

// Scripts of containers that receive SIGTERM.
const (
	// ignoresTERM runs until it is killed.
	ignoresTERM = "trap '' TERM; while :; do sleep 1; done"
	// failsOnTERM exits with 1 on SIGTERM.
	failsOnTERM = "trap 'exit 1' TERM; sleep 3600 & wait"
	// succeedsOnTERM exits with 0 on SIGTERM.
	succeedsOnTERM = "trap 'exit 0' TERM; sleep 3600 & wait"
)

// shellJob builds a Job whose container runs a script. Its pods have a grace period of 3
// seconds.
func shellJob(ns, name, script string, with ...func(*batchv1.Job)) *batchv1.Job {
	return harness.Job(ns, name, append([]func(*batchv1.Job){func(job *batchv1.Job) {
		job.Spec.Suspend = nil
		pod := &job.Spec.Template.Spec
		pod.TerminationGracePeriodSeconds = ptr.To[int64](3)
		pod.Containers = []corev1.Container{shell("main", script)}
	}}, with...)...)
}

// shell builds a container that runs a script.
func shell(name, script string) corev1.Container {
	return corev1.Container{
		Name: name, Image: "busybox",
		Command: []string{"sh", "-c", script},
	}
}

// withContainer adds a container to a Job's pods.
func withContainer(c corev1.Container) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		job.Spec.Template.Spec.Containers = append(job.Spec.Template.Spec.Containers, c)
	}
}

// withInit adds an init container to a Job's pods.
func withInit(c corev1.Container) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		job.Spec.Template.Spec.InitContainers = append(job.Spec.Template.Spec.InitContainers, c)
	}
}

// withSidecar adds a native sidecar to a Job's pods.
func withSidecar(c corev1.Container) func(*batchv1.Job) {
	c.RestartPolicy = ptr.To(corev1.ContainerRestartPolicyAlways)
	return withInit(c)
}

// withImage sets the image of the first container of a Job's pods.
func withImage(image string) func(*batchv1.Job) {
	return func(job *batchv1.Job) { job.Spec.Template.Spec.Containers[0].Image = image }
}

// withIndexes makes a Job run one pod per index, all at the same time.
func withIndexes(completions int32) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		job.Spec.CompletionMode = ptr.To(batchv1.IndexedCompletion)
		job.Spec.Completions, job.Spec.Parallelism = &completions, &completions
	}
}
