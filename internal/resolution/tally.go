// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package resolution judges what becomes of each error that an entry is about
// and adds it up to the entry's status. The controller does so as it writes;
// the aggregated API does so beforehand, for a dry run.
package resolution

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/conditions"
)

// Result is what became of one error.
type Result int

const (
	// Updated: the entry changed it, or would.
	Updated Result = iota
	// Unchanged: it was as asked, or somebody else changed it meanwhile.
	Unchanged
	// Failed: it could not be changed.
	Failed
)

// Outcome is the result of one error of an entry.
type Outcome struct {
	Name   string
	Result Result
	// Reason and Message of a failure.
	Reason, Message string
}

// Failure is the outcome of an error that could not be changed.
func Failure(name, reason, message string) Outcome {
	return Outcome{Name: name, Result: Failed, Reason: reason, Message: message}
}

// failure is how a status tells of a failed outcome.
func (o Outcome) failure() joberrorv1.ResolutionFailure {
	return joberrorv1.ResolutionFailure{Name: o.Name, Reason: o.Reason, Message: o.Message}
}

// NotFound is the outcome of a name that no error has.
func NotFound(name string) Outcome {
	return Failure(name, joberrorv1.FailureNotFound, "there is no JobError of this name")
}

// OtherJob is the outcome of an error that is not the job's.
func OtherJob(name string) Outcome {
	return Failure(name, joberrorv1.FailureOtherJob, "the error is one of another job")
}

// Tally adds outcomes up to an entry's status.
type Tally struct {
	status   joberrorv1.JobErrorResolutionStatus
	names    []string
	failures []joberrorv1.ResolutionFailure
}

// NewTally begins the status of an entry that is taken up, or up again, now.
func NewTally(entry *joberrorv1.JobErrorResolution, now time.Time) *Tally {
	t := &Tally{status: joberrorv1.JobErrorResolutionStatus{
		StartedAt:          entry.Status.StartedAt,
		ObservedGeneration: entry.Generation,
		Conditions:         slices.Clone(entry.Status.Conditions),
	}}
	if t.status.StartedAt == nil {
		t.status.StartedAt = &metav1.Time{Time: now}
	}
	return t
}

// Add counts one more outcome.
func (t *Tally) Add(o Outcome) {
	switch o.Result {
	case Updated:
		t.status.Updated++
	case Unchanged:
		t.status.Unchanged++
	case Failed:
		t.status.Failed++
		t.failures = append(t.failures, o.failure())
	}
	if o.Reason != joberrorv1.FailureNotFound && o.Reason != joberrorv1.FailureOtherJob {
		t.status.Matched++
		t.names = append(t.names, o.Name)
	}
}

// Changes tells how many errors the entry has changed, or would.
func (t *Tally) Changes() int { return int(t.status.Updated) }

// Progress is the status of an entry under way. The names come with its end.
func (t *Tally) Progress(now time.Time) joberrorv1.JobErrorResolutionStatus {
	message := fmt.Sprintf("%d errors worked through", t.status.Updated+t.status.Unchanged+t.status.Failed)
	set := func(name string, status metav1.ConditionStatus) {
		conditions.Set(&t.status.Conditions, t.status.ObservedGeneration, now, name,
			metav1.Condition{Status: status, Reason: joberrorv1.ReasonInProgress, Message: message})
	}
	set(joberrorv1.ConditionComplete, metav1.ConditionFalse)
	set(joberrorv1.ConditionReconciling, metav1.ConditionTrue)
	return *t.status.DeepCopy()
}

// AddFailures adds to the status of an answer what the entry that is kept can't
// tell: failures of what has no name.
func AddFailures(status *joberrorv1.JobErrorResolutionStatus, failures []Outcome, now time.Time) {
	if len(failures) == 0 {
		return
	}
	for _, o := range failures {
		status.Failed++
		if len(status.Failures) < joberrorv1.MaxListedFailures {
			status.Failures = append(status.Failures, o.failure())
		}
	}
	if meta.IsStatusConditionTrue(status.Conditions, joberrorv1.ConditionComplete) {
		setComplete(status, now)
	}
}

// Completed is the status of an entry whose every error is done.
func (t *Tally) Completed(now time.Time) joberrorv1.JobErrorResolutionStatus {
	status := *t.status.DeepCopy()
	slices.Sort(t.names)
	status.Errors = t.names[:min(len(t.names), joberrorv1.MaxListedErrors)]
	status.Truncated = len(t.names) > joberrorv1.MaxListedErrors
	slices.SortStableFunc(t.failures, func(a, b joberrorv1.ResolutionFailure) int { return strings.Compare(a.Name, b.Name) })
	status.Failures = t.failures[:min(len(t.failures), joberrorv1.MaxListedFailures)]
	status.CompletedAt = &metav1.Time{Time: now}
	meta.RemoveStatusCondition(&status.Conditions, joberrorv1.ConditionReconciling)
	setComplete(&status, now)
	return status
}

func setComplete(status *joberrorv1.JobErrorResolutionStatus, now time.Time) {
	condition := metav1.Condition{Status: metav1.ConditionTrue, Reason: joberrorv1.ReasonAllDone,
		Message: fmt.Sprintf("%d updated, %d unchanged, %d failed", status.Updated, status.Unchanged, status.Failed)}
	if status.Failed > 0 {
		condition.Reason = joberrorv1.ReasonSomeFailed
	}
	conditions.Set(&status.Conditions, status.ObservedGeneration, now, joberrorv1.ConditionComplete, condition)
}

// Complete tells whether an entry is worked through.
func Complete(entry *joberrorv1.JobErrorResolution) bool {
	return meta.IsStatusConditionTrue(entry.Status.Conditions, joberrorv1.ConditionComplete)
}
