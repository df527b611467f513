// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/retry"
)

// resolveBySuccess resolves a captured error once the same work has succeeded. It never
// resolves a record that a Job reported.
func (r *Reconciler) resolveBySuccess(ctx context.Context, je *joberrorv1.JobError, link link) error {
	if !r.Capture.AutoResolve || !awaitsSuccess(je) {
		return nil
	}
	if meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionResolved) {
		// It was just reopened, and the status does not say when yet.
		return nil
	}
	cause, err := r.findSuccess(ctx, je, link)
	if cause.Reason == "" || err != nil {
		return err
	}
	namespace, err := joblink.Namespace(ctx, r.Cached, je.Namespace)
	if err != nil || capturepolicy.OptedOut(joberrorv1.AnnotationAutoResolve, namespace) {
		return err
	}
	je.Spec.Resolved = true
	attribution.Mark{By: attribution.OperatorUser, Generation: je.Generation + 1, Cause: cause}.Put(je)
	return nil
}

// openError is a captured error that a success may end.
type openError struct {
	*joberrorv1.JobError
	link link
	// own describes the error's own Job, even if that Job is gone.
	own completion
}

// successRule returns the success that ends an error; no reason if it finds none.
type successRule func(context.Context, openError) (attribution.Cause, error)

// findSuccess returns the first success that ends an error; no reason if there is none.
func (r *Reconciler) findSuccess(ctx context.Context, je *joberrorv1.JobError, link link) (attribution.Cause, error) {
	e := openError{JobError: je, link: link}
	switch {
	case link.job != nil:
		e.own = completionOf(link.job)
	case link.known != nil:
		e.own = r.completed.byUID(link.known.UID)
	}
	if e.own.optedOut {
		return attribution.Cause{}, nil
	}
	for _, rule := range []successRule{r.ownJobSucceeded, r.laterRunSucceeded, r.transientRecovered} {
		if cause, err := rule(ctx, e); cause.Reason != "" || err != nil {
			return cause, err
		}
	}
	return attribution.Cause{}, nil
}

// ownJobSucceeded ends an error whose own Job completed.
func (r *Reconciler) ownJobSucceeded(_ context.Context, e openError) (attribution.Cause, error) {
	if !endedBy(e.JobError, e.own) {
		return attribution.Cause{}, nil
	}
	return attribution.Cause{Reason: joberrorv1.ReasonJobSucceeded, Name: e.own.job}, nil
}

// laterRunSucceeded ends an error if a later run of the same CronJob completed. A retry does
// not count as a later run: it repeats an earlier one.
func (r *Reconciler) laterRunSucceeded(ctx context.Context, e openError) (attribution.Cause, error) {
	cronJob := e.Labels[joberrorv1.LabelCronJobName]
	if cronJob == "" {
		return attribution.Cause{}, nil
	}
	runs, err := jobref.Runs(ctx, r.Cached, e.Namespace, cronJob)
	if err != nil {
		return attribution.Cause{}, fmt.Errorf("list the runs of CronJob %s: %w", cronJob, err)
	}
	var completions []completion
	for i := range runs {
		if retry.RequestOf(&runs[i]) == "" {
			completions = append(completions, completionOf(&runs[i]))
		}
	}
	for _, run := range append(completions, r.completed.lastRun(e.Namespace, cronJob)) {
		if startedAfter(e.JobError, run.createdAt) && endedBy(e.JobError, run) {
			return attribution.Cause{Reason: joberrorv1.ReasonJobSucceeded, Name: run.job}, nil
		}
	}
	return attribution.Cause{}, nil
}

// transientRecovered ends a transient error once the pod that could not run does run, or once
// a pod that could not be created is created. The pods of a namespace that is not
// watched are unknown.
func (r *Reconciler) transientRecovered(_ context.Context, e openError) (attribution.Cause, error) {
	watched := r.Capture.Enabled && r.Capture.Watches(e.Namespace)
	if !watched || !failure.CanRecover(e.Spec.Code) || reopenedAt(e.JobError) != nil || e.link.job == nil {
		return attribution.Cause{}, nil
	}
	pod := r.recoveries.recovered(e.Name)
	if failure.FailedCreate(e.Spec.Code) {
		pod = r.recoveries.createdAfter(e.link.job.UID, e.Status.LastSeen)
	}
	if pod == "" {
		return attribution.Cause{}, nil
	}
	return attribution.Cause{Reason: joberrorv1.ReasonRecovered, Name: pod}, nil
}

// startedAfter reports whether a run that was created at a time started after the error
// last occurred, in whole seconds. A run that was under way at that time is not a later run.
func startedAfter(je *joberrorv1.JobError, createdAt metav1.Time) bool {
	last := je.Status.LastSeen
	return last != nil && !createdAt.Before(last)
}

// endedBy reports whether the completion of a Job ends an error. A completion from
// before somebody reopened the error does not end it again.
func endedBy(je *joberrorv1.JobError, job completion) bool {
	if job.at.IsZero() || job.optedOut {
		return false
	}
	since := reopenedAt(je)
	return since == nil || since.Time.Before(job.at)
}

// reopenedAt returns when somebody reopened an error; nil if nobody did, or if it was
// reopened because it occurred again.
func reopenedAt(je *joberrorv1.JobError) *metav1.Time {
	c := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved)
	if c == nil || c.Reason != joberrorv1.ReasonReopened || attribution.MarkOf(je).Cause.Reason == attribution.FailedAgain {
		return nil
	}
	return &c.LastTransitionTime
}
