// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/failure"
)

var (
	earlier   = time.Date(2026, time.November, 5, 9, 0, 0, 0, time.UTC)
	now       = time.Date(2026, time.November, 5, 10, 15, 0, 0, time.UTC)
	expiresAt = time.Date(2026, time.December, 5, 10, 15, 0, 0, time.UTC)
)

// jobError is an error of the Job backup.
func jobError(generation int64, with ...func(*joberrorv1.JobError)) *joberrorv1.JobError {
	je := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "e1", UID: "4e-error", Generation: generation},
		Spec:       joberrorv1.JobErrorSpec{JobID: "backup"},
	}
	for _, f := range with {
		f(je)
	}
	return je
}

func resolved(je *joberrorv1.JobError) { je.Spec.Resolved = true }

func marked(mark attribution.Mark) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { mark.Put(je) }
}

// observed gives an error the status of an earlier reconcile, at which it had
// that generation.
func observed(generation int64, with ...func(*joberrorv1.JobError)) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) {
		je.Status = desiredStatus(jobError(generation, with...), link{}, expiresAt, earlier)
	}
}

func TestTheStatusFollowsTheWish(t *testing.T) {
	t.Parallel()
	alices := marked(attribution.Mark{By: "alice", Generation: 2})
	bobs := marked(attribution.Mark{By: "bob", Generation: 3})
	carols := marked(attribution.Mark{By: "carol", Generation: 2, Resolution: attribution.Resolution{Name: "resolve-x1", UID: "1"}})
	because := func(generation int64, reason, name string) func(*joberrorv1.JobError) {
		return marked(attribution.Mark{By: "operator", Generation: generation, Cause: attribution.Cause{Reason: reason, Name: name}})
	}
	const yes, no = metav1.ConditionTrue, metav1.ConditionFalse

	for _, tc := range []struct {
		name            string
		je              *joberrorv1.JobError
		condition       metav1.ConditionStatus
		reason, message string
		since           time.Time
		// resolvedAt is zero for an error that is open.
		resolvedAt     time.Time
		by, resolution string
	}{
		{name: "a new error is open", je: jobError(1),
			condition: no, reason: joberrorv1.ReasonOpen, message: "nobody has resolved the error yet", since: now},
		{name: "a new error may be resolved already", je: jobError(1, resolved, marked(attribution.Mark{By: "alice", Generation: 1})),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by alice", since: now, resolvedAt: now, by: "alice"},
		{name: "an error that a user resolves tells who and when", je: jobError(2, observed(1), resolved, alices),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by alice", since: now, resolvedAt: now, by: "alice"},
		{name: "an error that a resolution resolves tells which", je: jobError(2, observed(1), resolved, carols),
			condition: yes, reason: joberrorv1.ReasonSetByResolution, message: "resolved by carol with JobErrorResolution resolve-x1", since: now,
			resolvedAt: now, by: "carol", resolution: "resolve-x1"},
		{name: "one that was resolved unmarked is by an unknown user", je: jobError(2, observed(1), resolved),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by an unknown user", since: now, resolvedAt: now},
		{name: "one that was resolved under a stale mark is by an unknown user", je: jobError(4, observed(3), resolved, alices),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by an unknown user", since: now, resolvedAt: now},
		{name: "a stale mark of a resolution does not count either", je: jobError(4, observed(3), resolved, carols),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by an unknown user", since: now, resolvedAt: now},
		{name: "a mark of a generation to come does not count", je: jobError(2, observed(1), resolved, bobs),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by an unknown user", since: now, resolvedAt: now},
		{name: "a mark counts although other changes followed it", je: jobError(5, observed(1), resolved, alices),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by alice", since: now, resolvedAt: now, by: "alice"},

		{name: "an error that is resolved keeps who and when", je: jobError(2, observed(2, resolved, alices), resolved, alices),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by alice", since: earlier, resolvedAt: earlier, by: "alice"},
		{name: "another change of it keeps them too", je: jobError(3, observed(2, resolved, carols), resolved, carols),
			condition: yes, reason: joberrorv1.ReasonSetByResolution, message: "resolved by carol with JobErrorResolution resolve-x1", since: earlier,
			resolvedAt: earlier, by: "carol", resolution: "resolve-x1"},

		{name: "an error whose work succeeded tells which Job did", je: jobError(2, observed(1), resolved, because(2, joberrorv1.ReasonJobSucceeded, "backup-2")),
			condition: yes, reason: joberrorv1.ReasonJobSucceeded, message: "resolved: Job backup-2 succeeded", since: now, resolvedAt: now, by: "operator"},
		{name: "one that a pod got over tells which did", je: jobError(2, observed(1), resolved, because(2, joberrorv1.ReasonRecovered, "backup-x1")),
			condition: yes, reason: joberrorv1.ReasonRecovered, message: "resolved: pod backup-x1 got over it", since: now, resolvedAt: now, by: "operator"},
		{name: "one that happened again is reopened", je: jobError(3, observed(2, resolved, alices), because(3, causeFailedAgain, "backup-x1/main")),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened: the same failure happened again in backup-x1/main", since: now},
		{name: "a record that a user reports again is reopened", je: jobError(3, observed(2, resolved, alices),
			marked(attribution.Mark{By: "bob", Generation: 3, Cause: attribution.Cause{Reason: attribution.ReportedAgain}})),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened: the same record was reported again by bob", since: now},
		{name: "a record that a container reports again is reopened", je: jobError(3, observed(2, resolved, alices), because(3, attribution.ReportedAgain, "backup-x1/main")),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened: the same record was reported again in backup-x1/main", since: now},

		{name: "reopening clears who and when", je: jobError(3, observed(2, resolved, alices), bobs),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened by bob", since: now},
		{name: "reopening clears the resolution", je: jobError(3, observed(2, resolved, carols), bobs),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened by bob", since: now},
		{name: "reopening under a stale mark is by an unknown user", je: jobError(3, observed(2, resolved, alices), alices),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened by an unknown user", since: now},
		{name: "a resolution that reopens is named", je: jobError(3, observed(2, resolved, alices),
			marked(attribution.Mark{By: "bob", Generation: 3, Resolution: attribution.Resolution{Name: "unresolve-x2", UID: "1"}})),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened by bob with JobErrorResolution unresolve-x2", since: now},
		{name: "a reopened error stays reopened", je: jobError(4, reopened, bobs),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened by bob", since: earlier},
		{name: "a reopened error can be resolved again", je: jobError(4, reopened, resolved, marked(attribution.Mark{By: "dan", Generation: 4})),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by dan", since: now, resolvedAt: now, by: "dan"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := desiredStatus(tc.je, link{}, expiresAt, now)
			want := metav1.Condition{Type: joberrorv1.ConditionResolved, Status: tc.condition, Reason: tc.reason, Message: tc.message,
				ObservedGeneration: tc.je.Generation, LastTransitionTime: metav1.NewTime(tc.since)}
			if c := meta.FindStatusCondition(got.Conditions, joberrorv1.ConditionResolved); c == nil || *c != want {
				t.Errorf("condition = %+v, want %+v", c, want)
			}
			var at time.Time
			if got.ResolvedAt != nil {
				at = got.ResolvedAt.Time
			}
			if !at.Equal(tc.resolvedAt) || got.ResolvedBy != tc.by || got.Resolution != tc.resolution {
				t.Errorf("resolved %s by %q with %q, want %s by %q with %q", at, got.ResolvedBy, got.Resolution, tc.resolvedAt, tc.by, tc.resolution)
			}
			je := tc.je.DeepCopy()
			je.Status = got
			if again := desiredStatus(je, link{}, expiresAt, now.Add(time.Hour)); !equality.Semantic.DeepEqual(again, got) {
				t.Errorf("an object that has not changed would be written again: %+v, then %+v", got, again)
			}
		})
	}
}

// reopened gives an error the status of one that alice resolved and bob
// reopened at generation 3.
func reopened(je *joberrorv1.JobError) {
	before := jobError(3, observed(2, resolved, marked(attribution.Mark{By: "alice", Generation: 2})),
		marked(attribution.Mark{By: "bob", Generation: 3}))
	je.Status = desiredStatus(before, link{}, expiresAt, earlier)
}

func TestWhoResolvedLastIsTheOneToldOf(t *testing.T) {
	t.Parallel()
	je := jobError(4, observed(2, resolved, marked(attribution.Mark{By: "alice", Generation: 2})),
		resolved, marked(attribution.Mark{By: "carol", Generation: 4}))
	if got := desiredStatus(je, link{}, expiresAt, now); got.ResolvedBy != "carol" || !got.ResolvedAt.Time.Equal(now) {
		t.Errorf("resolved by %s at %s, want by carol at %s", got.ResolvedBy, got.ResolvedAt, now)
	}
}

func TestTheFirstStatusOfACapturedErrorCountsWhatItWasMadeFor(t *testing.T) {
	t.Parallel()
	failure := failure.Failure{Key: "k", Occurrence: "o", At: earlier}
	je := failure.JobError(job(""), "x")
	je.Status = desiredStatus(je, link{}, expiresAt, now)
	if je.Status.Occurrences != 1 || !je.Status.FirstSeen.Time.Equal(earlier) || !je.Status.LastSeen.Time.Equal(earlier) {
		t.Errorf("status is %+v", je.Status)
	}
	if again := desiredStatus(je, link{}, expiresAt, now); again.Occurrences != 1 {
		t.Errorf("it is counted %d times", again.Occurrences)
	}
}
