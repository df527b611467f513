// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"cmp"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/conditions"
	"joberror.io/operator/internal/failure"
)

// desiredStatus returns the status that a JobError should have now. It differs from the
// present status only in what has changed. Without an expiresAt, the recorded one stays.
func desiredStatus(je *joberrorv1.JobError, link link, expiresAt, now time.Time) joberrorv1.JobErrorStatus {
	status := *je.Status.DeepCopy()
	conditions.Set(&status.Conditions, je.Generation, now, joberrorv1.ConditionLinked, link.condition())
	status.Job = link.reference()
	failure.CountMarked(je, &status)
	setResolution(&status, je, now)
	status.Summary = summaryOf(je.Spec.Message)
	setExpiresAt(&status, expiresAt)
	if status.ObservedGeneration != je.Generation {
		status.ObservedGeneration = je.Generation
		status.RetryID = now.UTC().Format(metav1.RFC3339Micro)
	}
	return status
}

// setExpiresAt sets when the error expires, if that is known. It is rounded up, so that nobody
// sees a record after the time it states.
func setExpiresAt(status *joberrorv1.JobErrorStatus, expiresAt time.Time) {
	if at := metav1.NewTime(expiresAt.Add(time.Second - 1).Truncate(time.Second)); !expiresAt.IsZero() && !at.Equal(status.ExpiresAt) {
		status.ExpiresAt = &at
	}
}

// setResolution brings the status in line with spec.resolved. Who resolved the error,
// and when, changes only with spec.resolved itself. A fresh mark shows that
// spec.resolved changed and changed back before the operator saw it.
func setResolution(status *joberrorv1.JobErrorStatus, je *joberrorv1.JobError, now time.Time) {
	before := meta.FindStatusCondition(status.Conditions, joberrorv1.ConditionResolved)
	mark := attribution.MarkOf(je)
	if !mark.Fresh(status.ObservedGeneration, je.Generation) {
		mark = attribution.Mark{}
	}
	var condition metav1.Condition
	switch {
	case before != nil && before.Status == conditionStatus(je.Spec.Resolved) && mark == attribution.Mark{}:
		condition = *before
	case je.Spec.Resolved:
		status.ResolvedAt, status.ResolvedBy, status.Resolution = &metav1.Time{Time: now}, mark.By, mark.Resolution.Name
		condition = metav1.Condition{Reason: resolvedReason(mark), Message: "resolved" + describe(mark)}
	case before != nil:
		status.ResolvedAt, status.ResolvedBy, status.Resolution = nil, "", ""
		condition = metav1.Condition{Reason: joberrorv1.ReasonReopened, Message: "reopened" + describe(mark)}
	default:
		condition = metav1.Condition{Reason: joberrorv1.ReasonOpen, Message: "nobody has resolved the error yet"}
	}
	condition.Status = conditionStatus(je.Spec.Resolved)
	conditions.Set(&status.Conditions, je.Generation, now, joberrorv1.ConditionResolved, condition)
}

func conditionStatus(resolved bool) metav1.ConditionStatus {
	if resolved {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}

// resolvedReason returns the reason of the condition of a resolved error.
func resolvedReason(mark attribution.Mark) string {
	switch {
	case mark.Resolution.Name != "":
		return joberrorv1.ReasonSetByResolution
	case mark.Cause.Reason != "":
		return mark.Cause.Reason
	default:
		return joberrorv1.ReasonSetByUser
	}
}

// describe says in words who or what set spec.resolved.
func describe(mark attribution.Mark) string {
	switch mark.Cause.Reason {
	case joberrorv1.ReasonJobSucceeded:
		return ": Job " + mark.Cause.Name + " succeeded"
	case joberrorv1.ReasonRetrySucceeded:
		return ": the retry Job " + mark.Cause.Name + ", requested by " + cmp.Or(mark.By, "an unknown user") + ", succeeded"
	case joberrorv1.ReasonRecovered:
		return ": pod " + mark.Cause.Name + " recovered"
	case attribution.FailedAgain:
		return ": the same failure happened again in " + mark.Cause.Name
	case attribution.ReportedAgain:
		if mark.Cause.Name != "" {
			return ": the same record was reported again in " + mark.Cause.Name
		}
		return ": the same record was reported again by " + mark.By
	}
	by := " by " + mark.By
	if mark.By == "" {
		by = " by an unknown user"
	}
	if mark.Resolution.Name != "" {
		by += " with JobErrorResolution " + mark.Resolution.Name
	}
	return by
}
