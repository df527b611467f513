// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/jobref"
)

// The request was made at resource version 100, at the time now.
const (
	beforeVersion = "99"
	laterVersion  = "101"
)

// observed sets the condition Resolved, as the operator last saw it at this generation.
func observed(generation int64, status metav1.ConditionStatus, reason string, since time.Time) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) {
		je.Status.ObservedGeneration = generation
		je.Status.Conditions = []metav1.Condition{{Type: joberrorv1.ConditionResolved, Status: status, Reason: reason, LastTransitionTime: metav1.NewTime(since)}}
	}
}

func markedBy(user string, generation int64) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { attribution.Mark{By: user, Generation: generation}.Put(je) }
}

func markedByThis(generation int64) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) {
		attribution.Mark{By: "alice", Generation: generation, Resolution: attribution.Resolution{Name: "resolve-x1", UID: "1"}}.Put(je)
	}
}

func atVersion(version string) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { je.ResourceVersion = version }
}

// createdAfter makes an error one that was created after the request.
func createdAfter(je *joberrorv1.JobError) {
	je.CreationTimestamp = metav1.NewTime(now.Add(time.Minute))
}

// Without the store's old versions, an error that was changed after the request is left as
// it is, and one that was not is set.
func TestAppliesTo(t *testing.T) {
	t.Parallel()
	const isTrue, isFalse = metav1.ConditionTrue, metav1.ConditionFalse
	earlier, later := now.Add(-time.Hour), now.Add(time.Hour)
	open := func(generation int64) func(*joberrorv1.JobError) {
		return observed(generation, isFalse, joberrorv1.ReasonOpen, later)
	}
	reopened := func(generation int64, since time.Time) func(*joberrorv1.JobError) {
		return observed(generation, isFalse, joberrorv1.ReasonReopened, since)
	}
	byUser := func(generation int64, since time.Time) func(*joberrorv1.JobError) {
		return observed(generation, isTrue, joberrorv1.ReasonSetByUser, since)
	}

	for _, tc := range []struct {
		name   string
		je     *joberrorv1.JobError
		reopen bool
		want   bool
	}{
		{name: "an open error", je: jobError(1, open(1)), want: true},
		{name: "an open error that the operator has not seen", je: jobError(1), want: true},
		{name: "an unseen error without a mark whose content changed", je: jobError(2), want: true},
		{name: "an open error whose content changed", je: jobError(5, open(5)), want: true},
		{name: "an error created after the request", je: jobError(1, open(1), createdAfter)},
		{name: "an open error from before the request, by its version", je: jobError(1, open(1), createdAfter, atVersion(beforeVersion)), want: true},
		{name: "an error that has not changed since before the request", je: jobError(3, byUser(2, earlier), markedBy("bob", 3), atVersion(beforeVersion)), want: true},

		{name: "an error reopened before the request", je: jobError(3, reopened(3, earlier), markedBy("bob", 3)), want: true},
		{name: "an error reopened at the time of the request", je: jobError(3, reopened(3, now), markedBy("bob", 3))},
		{name: "an error reopened after the request", je: jobError(3, reopened(3, later), markedBy("bob", 3))},
		{name: "a reopened error that the operator has not seen reopened", je: jobError(3, byUser(2, earlier), markedBy("bob", 3))},
		{name: "a reopened error that the operator has not seen, without a mark", je: jobError(3, byUser(2, earlier))},
		{name: "an error resolved and reopened since the operator saw it", je: jobError(3, open(1), markedBy("bob", 3))},
		{name: "an unseen error that was reopened", je: jobError(3, markedBy("bob", 3))},

		{name: "an error resolved before the request", je: jobError(2, resolved, byUser(2, earlier), markedBy("bob", 2))},
		{name: "an error resolved after the request was open", je: jobError(2, resolved, byUser(2, later), markedBy("bob", 2)), want: true},
		{name: "an error resolved since the operator saw it was open", je: jobError(2, resolved, open(1), markedBy("bob", 2)), want: true},
		{name: "an error created as resolved", je: jobError(1, resolved, byUser(1, later))},

		{name: "an error that this resolution set", je: jobError(2, resolved, open(1), markedByThis(2)), want: true},
		{name: "an error that this resolution set and a user reopened", je: jobError(3, byUser(2, later), markedByThis(2)), want: true},

		{name: "reopening: an error resolved before the request", reopen: true, je: jobError(2, resolved, byUser(2, earlier), markedBy("bob", 2)), want: true},
		{name: "reopening: an error resolved after the request", reopen: true, je: jobError(2, resolved, byUser(2, later), markedBy("bob", 2))},
		{name: "reopening: an open error", reopen: true, je: jobError(1, open(1))},
		{name: "reopening: an error created as resolved", reopen: true, je: jobError(1, resolved, byUser(1, later)), want: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			jer := &joberrorv1.JobErrorResolution{
				ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "resolve-x1", UID: "1", ResourceVersion: "100", CreationTimestamp: metav1.NewTime(now)},
				Spec:       joberrorv1.JobErrorResolutionSpec{JobID: "backup", Resolved: ptr.To(!tc.reopen)},
			}
			if tc.je.ResourceVersion == "" {
				tc.je.ResourceVersion = laterVersion
			}
			if tc.je.CreationTimestamp.IsZero() {
				tc.je.CreationTimestamp = metav1.NewTime(now.Add(-2 * time.Hour))
			}
			if got := appliesTo(requestOf(jer, jobref.Ref{}), tc.je); got != tc.want {
				t.Errorf("appliesTo = %t, want %t", got, tc.want)
			}
		})
	}
}

// An error that somebody changed after this resolution set it counts as unchanged.
func TestBeforeRequestUndoesTheResolution(t *testing.T) {
	t.Parallel()
	jer := &joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Name: "resolve-x1", UID: "1"}}
	q := requestOf(jer, jobref.Ref{})
	for name, tc := range map[string]struct {
		je   *joberrorv1.JobError
		done bool
	}{
		"an open error is written":           {je: jobError(1)},
		"an error that was set is done":      {je: jobError(2, resolved, markedByThis(2)), done: true},
		"an error that was reopened is done": {je: jobError(3, markedByThis(2)), done: true},
	} {
		if done, _ := isDone(q, target{name: "e1", snapshot: beforeRequest(q, tc.je)}, tc.je); done != tc.done {
			t.Errorf("%s: isDone = %t, want %t", name, done, tc.done)
		}
	}
}
