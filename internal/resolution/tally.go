// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package resolution turns the outcome for each error of a resolution into the
// resolution's status. The controller uses it as it writes; the aggregated API uses it
// for a dry run.
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

// Result says how a resolution ended for one error.
type Result int

const (
	// Updated means that the resolution changed the error, or would in a dry run.
	Updated Result = iota
	// Unchanged means that the error already was as requested, or that someone else changed
	// it first.
	Unchanged
	// Failed means that the error could not be changed.
	Failed
)

// Outcome is the result for one error of a resolution.
type Outcome struct {
	Name   string
	Result Result
	// Reason and Message are set if the result is Failed.
	Reason, Message string
}

// Failure returns the outcome for an error that could not be changed.
func Failure(name, reason, message string) Outcome {
	return Outcome{Name: name, Result: Failed, Reason: reason, Message: message}
}

// failure returns a failed outcome as the status lists it.
func (o Outcome) failure() joberrorv1.ResolutionFailure {
	return joberrorv1.ResolutionFailure{Name: o.Name, Reason: o.Reason, Message: o.Message}
}

// NotFound returns the outcome for a name that no error has.
func NotFound(name string) Outcome {
	return Failure(name, joberrorv1.FailureNotFound, "no JobError has this name")
}

// OtherJob returns the outcome for an error that belongs to another job.
func OtherJob(name string) Outcome {
	return Failure(name, joberrorv1.FailureOtherJob, "the error belongs to another job")
}

// Tally adds outcomes up to the status of a resolution. It holds the counts, and only the
// names and failures that the status lists, however many outcomes are added.
type Tally struct {
	status joberrorv1.JobErrorResolutionStatus
	// names and failures are sorted by name.
	names    []string
	failures []joberrorv1.ResolutionFailure
}

// NewTally returns a tally for a resolution that starts now, or that continues after an
// interruption.
func NewTally(jer *joberrorv1.JobErrorResolution, now time.Time) *Tally {
	t := &Tally{status: joberrorv1.JobErrorResolutionStatus{
		StartedAt:          jer.Status.StartedAt,
		ObservedGeneration: jer.Generation,
		Conditions:         slices.Clone(jer.Status.Conditions),
	}}
	if t.status.StartedAt == nil {
		t.status.StartedAt = &metav1.Time{Time: now}
	}
	return t
}

// Add adds an outcome.
func (t *Tally) Add(o Outcome) {
	switch o.Result {
	case Updated:
		t.status.Updated++
	case Unchanged:
		t.status.Unchanged++
	case Failed:
		t.status.Failed++
		t.failures = insert(t.failures, o.failure(), joberrorv1.MaxListedFailures, compareNames)
	}
	if o.Reason != joberrorv1.FailureNotFound && o.Reason != joberrorv1.FailureOtherJob {
		t.status.Matched++
		t.names = insert(t.names, o.Name, joberrorv1.MaxListedErrors, strings.Compare)
	}
}

func compareNames(a, b joberrorv1.ResolutionFailure) int { return strings.Compare(a.Name, b.Name) }

// insert inserts a value into a sorted list, after equal values. It keeps only the first
// values, up to the limit.
func insert[T any](sorted []T, value T, limit int, compare func(a, b T) int) []T {
	at, _ := slices.BinarySearchFunc(sorted, value, func(element, target T) int {
		if compare(element, target) > 0 {
			return 1
		}
		return -1
	})
	if at == limit {
		return sorted
	}
	if len(sorted) == limit {
		sorted = sorted[:limit-1]
	}
	return slices.Insert(sorted, at, value)
}

// Changes returns how many errors the resolution has changed, or would in a dry run.
func (t *Tally) Changes() int { return int(t.status.Updated) }

// Progress returns the status of a resolution that is still in progress. Names are
// listed only on completion.
func (t *Tally) Progress(now time.Time) joberrorv1.JobErrorResolutionStatus {
	setInProgress(&t.status, now, fmt.Sprintf("%d errors processed", t.status.Updated+t.status.Unchanged+t.status.Failed))
	return *t.status.DeepCopy()
}

// Waiting returns the status of a resolution that waits for others before it starts.
func Waiting(jer *joberrorv1.JobErrorResolution, now time.Time) joberrorv1.JobErrorResolutionStatus {
	status := *jer.Status.DeepCopy()
	status.ObservedGeneration = jer.Generation
	setInProgress(&status, now, "waiting for other resolutions")
	return status
}

func setInProgress(status *joberrorv1.JobErrorResolutionStatus, now time.Time, message string) {
	condition := metav1.Condition{Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonInProgress, Message: message}
	conditions.Set(&status.Conditions, status.ObservedGeneration, now, joberrorv1.ConditionComplete, condition)
	condition.Status = metav1.ConditionTrue
	conditions.Set(&status.Conditions, status.ObservedGeneration, now, joberrorv1.ConditionReconciling, condition)
}

// AddFailures adds failures of records without a name to the status in a response. The
// stored resolution cannot list them.
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

// Completed returns the status of a resolution that has processed all its errors.
func (t *Tally) Completed(now time.Time) joberrorv1.JobErrorResolutionStatus {
	status := *t.status.DeepCopy()
	status.Errors, status.Failures = slices.Clone(t.names), slices.Clone(t.failures)
	status.Truncated = status.Matched > joberrorv1.MaxListedErrors
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

// IsComplete reports whether a resolution has processed all its errors.
func IsComplete(jer *joberrorv1.JobErrorResolution) bool {
	return meta.IsStatusConditionTrue(jer.Status.Conditions, joberrorv1.ConditionComplete)
}
