// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
)

// appliesTo reports whether a request for every error applies to this one, as far as the
// error itself shows. It decides once the store has forgotten what the errors were like when
// the request was made. The request applies to an error that was not as requested then. Such
// an error still is not as requested, or somebody has changed it since.
func appliesTo(q request, je *joberrorv1.JobError) bool {
	asRequested := je.Spec.Resolved == q.Spec.WantsResolved()
	switch {
	case attribution.MarkOf(je).Resolution == q.id():
		return true
	case isUpTo(je, q.snapshot):
		return !asRequested
	case je.CreationTimestamp.After(q.CreationTimestamp.Time):
		return false
	default:
		return asRequested == changedSince(je, q.CreationTimestamp.Time)
	}
}

// changedSince reports whether spec.resolved of an error changed at a time or later. If the
// time of a change is not known, it counts as later: an error that somebody reopened after
// the request must stay open.
func changedSince(je *joberrorv1.JobError, at time.Time) bool {
	condition := meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved)
	mark := attribution.MarkOf(je)
	switch {
	case je.Generation == 1:
		return false
	case condition == nil:
		// The operator has not seen the error. A mark shows a change after its creation.
		return mark.Fresh(1, je.Generation)
	case (condition.Status == metav1.ConditionTrue) != je.Spec.Resolved, mark.Fresh(je.Status.ObservedGeneration, je.Generation):
		// The operator has not seen the latest change.
		return true
	case condition.Reason == joberrorv1.ReasonOpen:
		return false
	default:
		return !condition.LastTransitionTime.Time.Before(at)
	}
}

// overtaken reports whether somebody changed an error that is not as requested after the
// request was made, as far as the error itself shows.
func overtaken(q request, je *joberrorv1.JobError) bool {
	if je.Spec.Resolved == q.Spec.WantsResolved() || isUpTo(je, q.snapshot) {
		return false
	}
	return attribution.MarkOf(je).Resolution == q.id() || changedSince(je, q.CreationTimestamp.Time)
}

// isUpTo reports whether an error has not changed after a resource version.
func isUpTo(je *joberrorv1.JobError, version string) bool {
	order, err := resourceversion.CompareResourceVersion(je.ResourceVersion, version)
	return err == nil && order <= 0
}

// beforeRequest returns an error as it was when the request was made, as far as the error
// itself shows.
func beforeRequest(q request, je *joberrorv1.JobError) *joberrorv1.JobError {
	snapshot := trim(je)
	if mark := attribution.MarkOf(je); mark.Resolution == q.id() {
		snapshot.Generation = mark.Generation - 1
	}
	return snapshot
}
