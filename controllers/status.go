// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/conditions"
	"joberror.io/operator/internal/failure"
)

// desiredStatus is the status that a JobError should have now. It differs from
// the present one only where something has changed.
func desiredStatus(je *joberrorv1.JobError, link link, expiresAt, now time.Time) joberrorv1.JobErrorStatus {
	status := *je.Status.DeepCopy()
	conditions.Set(&status.Conditions, je.Generation, now, joberrorv1.ConditionLinked, link.condition())
	status.Job = link.reference()
	failure.CountMarked(je, &status)
	setResolution(&status, je, now)
	status.Summary = summaryOf(je.Spec.Message)
	// Rounded up, so that nobody sees a record after the time it states.
	if at := metav1.NewTime(expiresAt.Add(time.Second - 1).Truncate(time.Second)); !at.Equal(status.ExpiresAt) {
		status.ExpiresAt = &at
	}
	if status.ObservedGeneration != je.Generation {
		status.ObservedGeneration = je.Generation
		status.RetryID = now.UTC().Format(metav1.RFC3339Micro)
	}
	return status
}

// setResolution lets the status follow spec.resolved. What it says of who and
// when changes only with the wish itself; a fresh mark tells of a change and
// back that nobody saw.
func setResolution(status *joberrorv1.JobErrorStatus, je *joberrorv1.JobError, now time.Time) {
	before := meta.FindStatusCondition(status.Conditions, joberrorv1.ConditionResolved)
	was := before != nil && before.Status == metav1.ConditionTrue
	mark := attribution.Of(je)
	if !mark.Fresh(status.ObservedGeneration, je.Generation) {
		mark = attribution.Mark{}
	}
	condition := metav1.Condition{Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonOpen, Message: "nobody has resolved the error yet"}
	switch {
	case before != nil && was == je.Spec.Resolved && mark == attribution.Mark{}:
		condition = *before
	case je.Spec.Resolved:
		status.ResolvedAt, status.ResolvedBy, status.Resolution = &metav1.Time{Time: now}, mark.By, mark.Resolution.Name
		condition = metav1.Condition{Status: metav1.ConditionTrue, Reason: joberrorv1.ReasonSetByUser, Message: "resolved" + how(mark)}
		switch {
		case mark.Resolution.Name != "":
			condition.Reason = joberrorv1.ReasonSetByResolution
		case mark.Cause.Reason != "":
			condition.Reason = mark.Cause.Reason
		}
	case before != nil:
		status.ResolvedAt, status.ResolvedBy, status.Resolution = nil, "", ""
		condition.Reason, condition.Message = joberrorv1.ReasonReopened, "reopened"+how(mark)
	}
	conditions.Set(&status.Conditions, je.Generation, now, joberrorv1.ConditionResolved, condition)
}

// how says in words what a mark tells.
func how(mark attribution.Mark) string {
	switch mark.Cause.Reason {
	case joberrorv1.ReasonJobSucceeded:
		return ": Job " + mark.Cause.Name + " succeeded"
	case joberrorv1.ReasonRecovered:
		return ": pod " + mark.Cause.Name + " got over it"
	case causeFailedAgain:
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
