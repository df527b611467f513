// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/util/retry"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// measureCapture makes the operator find n/2 failed Jobs with a pod each, as on a
// fresh install. It records two errors for each Job.
func (b *bench) measureCapture(ctx context.Context, f *floor, n int) (operation, error) {
	ns, _, err := b.namespace(ctx, "failed", "")
	if err != nil {
		return operation{}, err
	}
	row, err := b.measure(ctx, f, n, step{
		name: "capture of earlier failures at startup, including the startup", span: span{0, n}, floorWrite: f.create,
		prepare: func(ctx context.Context) error {
			return errors.Join(b.stopOperator(), b.jobsWithPods(ctx, ns.Name, n/2, true))
		},
		start: b.starting,
		check: b.allMatch(ns.Name, "", n, linked),
	})
	if err != nil {
		return row, err
	}
	// Delete the Jobs, so that the next start does not find them again.
	return row, errors.Join(b.stopOperator(), b.deleteJobs(ctx, ns.Name), b.ensureOperator(ctx))
}

// jobsWithPods creates n Jobs with a pod each, either failed or running. No
// controller changes them afterwards.
func (b *bench) jobsWithPods(ctx context.Context, namespace string, n int, failed bool) error {
	logf("creating %d Jobs with a pod each", n)
	_, err := b.forEach(ctx, n, func(ctx context.Context, i int) error {
		job := unmanaged(namespace, fmt.Sprintf("backup-%06d", i))
		if err := b.admin.Create(ctx, job); err != nil {
			return err
		}
		pod := podOf(job)
		if err := b.admin.Create(ctx, pod); err != nil {
			return err
		}
		now := metav1.NewTime(time.Now().Truncate(time.Second))
		pod.Status.Phase = corev1.PodRunning
		main := corev1.ContainerStatus{Name: "main", Image: "busybox", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: now}}}
		if failed {
			pod.Status.Phase = corev1.PodFailed
			main.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				ExitCode: 1, Reason: "Error", Message: fmt.Sprintf("cannot connect to the database on port %d", i), StartedAt: now, FinishedAt: now,
			}}
		}
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{main}
		if err := b.admin.Status().Update(ctx, pod); err != nil || !failed {
			return err
		}
		job.Status.StartTime, job.Status.Failed = &now, 1
		for _, kind := range []batchv1.JobConditionType{batchv1.JobFailureTarget, batchv1.JobFailed} {
			job.Status.Conditions = append(job.Status.Conditions, batchv1.JobCondition{
				Type: kind, Status: corev1.ConditionTrue, Reason: batchv1.JobReasonBackoffLimitExceeded,
				Message: "Job has reached the specified backoff limit", LastTransitionTime: now, LastProbeTime: now,
			})
		}
		return b.admin.Status().Update(ctx, job)
	})
	return err
}

// unmanaged returns a Job that the Job controller ignores.
func unmanaged(namespace, name string) *batchv1.Job {
	job := suspended(namespace, name)
	job.Spec.Suspend, job.Spec.ManagedBy = nil, ptr.To("joberror.io/bench")
	return job
}

// podOf returns a Job's pod as the Job controller would create it, but with an
// unknown scheduler, so that no node runs it.
func podOf(job *batchv1.Job) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: job.Namespace, Name: job.Name + "-x7k2p",
			Labels:          map[string]string{batchv1.JobNameLabel: job.Name, batchv1.ControllerUidLabel: string(job.UID)},
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))},
		},
		Spec: job.Spec.Template.Spec,
	}
	pod.Spec.SchedulerName = "none"
	return pod
}

// deleteJobs deletes the errors, pods and Jobs in a namespace. It deletes dependents
// before their owners, which is faster than the garbage collector.
func (b *bench) deleteJobs(ctx context.Context, namespace string) error {
	logf("deleting the Jobs")
	for _, kind := range []client.Object{&joberrorv1.JobError{}, &corev1.Pod{}, &batchv1.Job{}} {
		// Deleting this many objects may exceed the request timeout of a minute. The
		// next request continues.
		err := retry.OnError(wait.Backoff{Steps: 20}, apierrors.IsTimeout, func() error {
			return b.admin.DeleteAllOf(ctx, kind, client.InNamespace(namespace), client.GracePeriodSeconds(0), client.PropagationPolicy(metav1.DeletePropagationBackground))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
