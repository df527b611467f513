// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/truncate"
)

// How much of an error an Event repeats, in bytes. The API server refuses an
// Event whose note is longer than 1,024.
const (
	codeInEvent    = 128
	messageInEvent = 400
)

// announce tells people about a change of a JobError where they would look:
// on the Job when an error of it was recorded, and on the JobError when
// somebody resolved or reopened it. Changes made by a JobErrorResolution are
// told once, on the Job; an Event for each would double the writes.
func (r *JobErrorReconciler) announce(je *joberrorv1.JobError, before *joberrorv1.JobErrorStatus, link link) {
	if link.job != nil && !meta.IsStatusConditionTrue(before.Conditions, joberrorv1.ConditionLinked) {
		// Without a related object these are one series on the Job, however
		// many errors it has.
		r.recorder.Eventf(link.job, nil, corev1.EventTypeWarning, "ErrorRecorded", "Record",
			"JobError %s: %s %s", je.Name, truncate.String(je.Spec.Code, codeInEvent), truncate.String(je.Spec.Message, messageInEvent))
	}
	r.announceRetention(before, link)
	was := meta.FindStatusCondition(before.Conditions, joberrorv1.ConditionResolved)
	is := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved)
	if changed := was == nil || was.Status != is.Status; changed && je.Spec.Resolved {
		metrics.Resolved(je.Namespace, is.Reason)
	}
	switch {
	case was != nil && was.Status == is.Status, is.Reason == joberrorv1.ReasonOpen, attribution.Of(je).Resolution.Name != "":
	case je.Spec.Resolved:
		r.recorder.Eventf(je, link.object(), corev1.EventTypeNormal, "Resolved", "Resolve", "%s", is.Message)
	case is.Reason == joberrorv1.ReasonReopened:
		r.recorder.Eventf(je, link.object(), corev1.EventTypeNormal, "Reopened", "Reopen", "%s", is.Message)
	}
}

// announceRetention tells on the Job that its own retention can't be read, when
// that was not known yet.
func (r *JobErrorReconciler) announceRetention(before *joberrorv1.JobErrorStatus, link link) {
	own := retention.OfJob(link.job)
	if own == "" || before.Job != nil && before.Job.Retention == own {
		return
	}
	if _, err := retention.Parse(own); err != nil {
		r.recorder.Eventf(link.job, nil, corev1.EventTypeWarning, "InvalidRetention", "Record", "%v", err)
	}
}
