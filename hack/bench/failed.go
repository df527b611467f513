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

// capturing lets the operator find n/2 failed Jobs, each with its pod, as it does
// on a fresh install: that makes two errors of each.
func (b *bench) capturing(ctx context.Context, f *floor, n int) (operation, error) {
	ns, _, err := b.namespace(ctx, "failed", "")
	if err != nil {
		return operation{}, err
	}
	row, err := b.measure(ctx, f, n, step{
		name: "capture of what failed before the start, the start included", span: span{0, n}, bare: f.report,
		prepare: func(ctx context.Context) error { return errors.Join(b.rest(), b.jobsWithPods(ctx, ns.Name, n/2, true)) },
		start:   b.starting,
		check:   b.allAre(ns.Name, "", n, linked),
	})
	if err != nil {
		return row, err
	}
	// The next start is not to find them again.
	return row, errors.Join(b.rest(), b.clear(ctx, ns.Name), b.work(ctx))
}

// jobsWithPods makes n Jobs with a pod each, which failed or go on as they are: no
// controller is to look after them.
func (b *bench) jobsWithPods(ctx context.Context, namespace string, n int, failed bool) error {
	say("making %d Jobs with a pod each", n)
	_, err := b.each(ctx, n, func(ctx context.Context, i int) error {
		job := unattended(namespace, fmt.Sprintf("backup-%06d", i))
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

// unattended is a Job that the Job controller leaves alone.
func unattended(namespace, name string) *batchv1.Job {
	job := suspended(namespace, name)
	job.Spec.Suspend, job.Spec.ManagedBy = nil, ptr.To("joberror.io/bench")
	return job
}

// podOf is the pod of a Job as the Job controller makes it, but for a scheduler: no
// node is to run it.
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

// clear deletes the errors, pods and Jobs in a namespace, dependents before what
// they depend on: that is sooner done than the garbage collector would do it.
func (b *bench) clear(ctx context.Context, namespace string) error {
	say("deleting the Jobs again")
	for _, kind := range []client.Object{&joberrorv1.JobError{}, &corev1.Pod{}, &batchv1.Job{}} {
		// So many may take more than the minute that a request has; the next one
		// goes on.
		err := retry.OnError(wait.Backoff{Steps: 20}, apierrors.IsTimeout, func() error {
			return b.admin.DeleteAllOf(ctx, kind, client.InNamespace(namespace), client.GracePeriodSeconds(0), client.PropagationPolicy(metav1.DeletePropagationBackground))
		})
		if err != nil {
			return err
		}
	}
	return nil
}
