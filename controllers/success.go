// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
)

// resolveBySuccess resolves a captured error once the same work has succeeded.
// What a Job reported of its records it never resolves.
func (r *JobErrorReconciler) resolveBySuccess(ctx context.Context, je *joberrorv1.JobError, link link) error {
	if je.Spec.Resolved || je.Labels[joberrorv1.LabelCaptured] == "" || !r.Capture.AutoResolve || capturepolicy.Off(joberrorv1.AnnotationAutoResolve, je) {
		return nil
	}
	if meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionResolved) {
		// It was reopened just now, and the status does not say when yet.
		return nil
	}
	cause, err := r.success(ctx, je, link)
	if cause.Reason == "" || err != nil {
		return err
	}
	namespace, err := joblink.Namespace(ctx, r.cached, je.Namespace)
	if err != nil || capturepolicy.Off(joberrorv1.AnnotationAutoResolve, namespace) {
		return err
	}
	je.Spec.Resolved = true
	attribution.Mark{By: attribution.OperatorUser, Generation: je.Generation + 1, Cause: cause}.Put(je)
	return nil
}

// success looks for what tells that an error is over: its Job completed, a later
// run of the same CronJob did, or the pod that could not run does.
func (r *JobErrorReconciler) success(ctx context.Context, je *joberrorv1.JobError, link link) (attribution.Cause, error) {
	own := link.job
	if own == nil && link.known != nil {
		own = r.successes.of(link.known.UID)
	}
	if own != nil && capturepolicy.Off(joberrorv1.AnnotationAutoResolve, own) {
		return attribution.Cause{}, nil
	}
	if own != nil && endsErrorOf(je, own) {
		return attribution.Cause{Reason: joberrorv1.ReasonJobSucceeded, Name: own.Name}, nil
	}
	if cronJob := je.Labels[joberrorv1.LabelCronJobName]; cronJob != "" {
		runs, err := jobref.Runs(ctx, r.cached, je.Namespace, cronJob)
		if err != nil {
			return attribution.Cause{}, err
		}
		if last := r.successes.last(je.Namespace, cronJob); last != nil {
			runs = append(slices.Clip(runs), *last)
		}
		for i := range runs {
			if later(je, &runs[i]) && endsErrorOf(je, &runs[i]) {
				return attribution.Cause{Reason: joberrorv1.ReasonJobSucceeded, Name: runs[i].Name}, nil
			}
		}
	}
	watched := r.Capture.Enabled && r.Capture.Watches(je.Namespace)
	if !watched || !failure.Passes(je.Spec.Code) || reopenedAt(je) != nil || link.job == nil {
		return attribution.Cause{}, nil
	}
	pods, err := podsOf(ctx, r.cached, types.NamespacedName{Namespace: je.Namespace, Name: link.job.Name})
	pod := recovered(je, link.job, pods)
	if failure.FailedCreate(je.Spec.Code) {
		pod = createdSince(je, link.job, pods)
	}
	if pod == "" {
		return attribution.Cause{}, err
	}
	return attribution.Cause{Reason: joberrorv1.ReasonRecovered, Name: pod}, err
}

// later tells whether a run began after an error had happened for the last time,
// in whole seconds. One that ran beside it is no next one.
func later(je *joberrorv1.JobError, run *batchv1.Job) bool {
	last := je.Status.LastSeen
	return last != nil && !run.CreationTimestamp.Before(last)
}

// endsErrorOf tells whether a Job completed, and that is to resolve the error:
// one that somebody reopened after that is not resolved again for the same
// reason.
func endsErrorOf(je *joberrorv1.JobError, job *batchv1.Job) bool {
	at := completed(job)
	if at.IsZero() || capturepolicy.Off(joberrorv1.AnnotationAutoResolve, job) {
		return false
	}
	since := reopenedAt(je)
	return since == nil || since.Time.Before(at)
}

// reopenedAt is since when an error is open again that somebody reopened; nil
// where nobody did, or it happened again.
func reopenedAt(je *joberrorv1.JobError) *metav1.Time {
	c := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved)
	if c == nil || c.Reason != joberrorv1.ReasonReopened || attribution.Of(je).Cause.Reason == causeFailedAgain {
		return nil
	}
	return &c.LastTransitionTime
}

// completed is when a Job did; the zero time where it has not.
func completed(job *batchv1.Job) time.Time {
	for _, c := range job.Status.Conditions {
		if c.Type == batchv1.JobComplete && c.Status == corev1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// createdSince returns the name of a pod that was created after it last failed to be.
func createdSince(je *joberrorv1.JobError, job *batchv1.Job, pods []corev1.Pod) string {
	for i := range pods {
		owner := metav1.GetControllerOf(&pods[i])
		if owner != nil && owner.UID == job.UID && je.Status.LastSeen.Before(&pods[i].CreationTimestamp) {
			return pods[i].Name
		}
	}
	return ""
}

// recovered is the name of a pod that got over what the error is about, where
// none is left that did not.
func recovered(je *joberrorv1.JobError, job *batchv1.Job, pods []corev1.Pod) string {
	found := ""
	for i := range pods {
		pod := &pods[i]
		if owner := metav1.GetControllerOf(pod); owner == nil || owner.UID != job.UID {
			continue
		}
		for _, f := range failure.OfPod(pod) {
			if failure.Name(job.Name, job.UID, f.Key) == je.Name {
				return ""
			}
		}
		for _, key := range failure.Overcome(pod) {
			if failure.Name(job.Name, job.UID, key) == je.Name {
				found = pod.Name
			}
		}
	}
	return found
}
