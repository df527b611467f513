// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

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

// jobError returns an error of the Job backup.
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

// observed gives an error the status of an earlier reconcile at that generation.
func observed(generation int64, with ...func(*joberrorv1.JobError)) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) {
		je.Status = desiredStatus(jobError(generation, with...), link{}, expiresAt, earlier)
	}
}

func TestStatusFollowsSpecResolved(t *testing.T) {
	t.Parallel()
	byAlice := marked(attribution.Mark{By: "alice", Generation: 2})
	byBob := marked(attribution.Mark{By: "bob", Generation: 3})
	byCarol := marked(attribution.Mark{By: "carol", Generation: 2, Resolution: attribution.Resolution{Name: "resolve-x1", UID: "1"}})
	byOperator := func(generation int64, reason, name string) func(*joberrorv1.JobError) {
		return marked(attribution.Mark{By: "operator", Generation: generation, Cause: attribution.Cause{Reason: reason, Name: name}})
	}
	const yes, no = metav1.ConditionTrue, metav1.ConditionFalse

	for _, tc := range []struct {
		name            string
		je              *joberrorv1.JobError
		condition       metav1.ConditionStatus
		reason, message string
		since           time.Time
		// resolvedAt is zero for an open error.
		resolvedAt     time.Time
		by, resolution string
	}{
		{name: "a new error is open", je: jobError(1),
			condition: no, reason: joberrorv1.ReasonOpen, message: "nobody has resolved the error yet", since: now},
		{name: "a new error may already be resolved", je: jobError(1, resolved, marked(attribution.Mark{By: "alice", Generation: 1})),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by alice", since: now, resolvedAt: now, by: "alice"},
		{name: "resolved by a user", je: jobError(2, observed(1), resolved, byAlice),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by alice", since: now, resolvedAt: now, by: "alice"},
		{name: "resolved by a resolution", je: jobError(2, observed(1), resolved, byCarol),
			condition: yes, reason: joberrorv1.ReasonSetByResolution, message: "resolved by carol with JobErrorResolution resolve-x1", since: now,
			resolvedAt: now, by: "carol", resolution: "resolve-x1"},
		{name: "resolved without a mark: unknown user", je: jobError(2, observed(1), resolved),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by an unknown user", since: now, resolvedAt: now},
		{name: "resolved with a stale mark: unknown user", je: jobError(4, observed(3), resolved, byAlice),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by an unknown user", since: now, resolvedAt: now},
		{name: "resolved with a resolution's stale mark: unknown user", je: jobError(4, observed(3), resolved, byCarol),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by an unknown user", since: now, resolvedAt: now},
		{name: "a mark of a future generation is ignored", je: jobError(2, observed(1), resolved, byBob),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by an unknown user", since: now, resolvedAt: now},
		{name: "a mark counts after other changes", je: jobError(5, observed(1), resolved, byAlice),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by alice", since: now, resolvedAt: now, by: "alice"},

		{name: "a resolved error keeps who and when", je: jobError(2, observed(2, resolved, byAlice), resolved, byAlice),
			condition: yes, reason: joberrorv1.ReasonSetByUser, message: "resolved by alice", since: earlier, resolvedAt: earlier, by: "alice"},
		{name: "another change keeps who and when", je: jobError(3, observed(2, resolved, byCarol), resolved, byCarol),
			condition: yes, reason: joberrorv1.ReasonSetByResolution, message: "resolved by carol with JobErrorResolution resolve-x1", since: earlier,
			resolvedAt: earlier, by: "carol", resolution: "resolve-x1"},

		{name: "resolved by the success of a Job", je: jobError(2, observed(1), resolved, byOperator(2, joberrorv1.ReasonJobSucceeded, "backup-2")),
			condition: yes, reason: joberrorv1.ReasonJobSucceeded, message: "resolved: Job backup-2 succeeded", since: now, resolvedAt: now, by: "operator"},
		{name: "resolved by a retry", je: jobError(2, observed(1), resolved, byOperator(2, joberrorv1.ReasonRetrySucceeded, "backup-r1")),
			condition: yes, reason: joberrorv1.ReasonRetrySucceeded, message: "resolved: the retry Job backup-r1, requested by operator, succeeded", since: now, resolvedAt: now, by: "operator"},
		{name: "resolved by the recovery of a pod", je: jobError(2, observed(1), resolved, byOperator(2, joberrorv1.ReasonRecovered, "backup-x1")),
			condition: yes, reason: joberrorv1.ReasonRecovered, message: "resolved: pod backup-x1 recovered", since: now, resolvedAt: now, by: "operator"},
		{name: "reopened by the same failure", je: jobError(3, observed(2, resolved, byAlice), byOperator(3, attribution.FailedAgain, "backup-x1/main")),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened: the same failure happened again in backup-x1/main", since: now},
		{name: "reopened by a report of a user", je: jobError(3, observed(2, resolved, byAlice),
			marked(attribution.Mark{By: "bob", Generation: 3, Cause: attribution.Cause{Reason: attribution.ReportedAgain}})),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened: the same record was reported again by bob", since: now},
		{name: "reopened by a report of a container", je: jobError(3, observed(2, resolved, byAlice), byOperator(3, attribution.ReportedAgain, "backup-x1/main")),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened: the same record was reported again in backup-x1/main", since: now},

		{name: "reopening clears who and when", je: jobError(3, observed(2, resolved, byAlice), byBob),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened by bob", since: now},
		{name: "reopening clears the resolution", je: jobError(3, observed(2, resolved, byCarol), byBob),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened by bob", since: now},
		{name: "reopened with a stale mark: unknown user", je: jobError(3, observed(2, resolved, byAlice), byAlice),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened by an unknown user", since: now},
		{name: "reopened by a resolution", je: jobError(3, observed(2, resolved, byAlice),
			marked(attribution.Mark{By: "bob", Generation: 3, Resolution: attribution.Resolution{Name: "unresolve-x2", UID: "1"}})),
			condition: no, reason: joberrorv1.ReasonReopened, message: "reopened by bob with JobErrorResolution unresolve-x2", since: now},
		{name: "a reopened error stays reopened", je: jobError(4, reopened, byBob),
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
				t.Errorf("an unchanged object would be written again: %+v, then %+v", got, again)
			}
		})
	}
}

// reopened gives an error the status after alice resolved it and bob reopened it at
// generation 3.
func reopened(je *joberrorv1.JobError) {
	before := jobError(3, observed(2, resolved, marked(attribution.Mark{By: "alice", Generation: 2})),
		marked(attribution.Mark{By: "bob", Generation: 3}))
	je.Status = desiredStatus(before, link{}, expiresAt, earlier)
}

func TestResolvedByIsTheLastUser(t *testing.T) {
	t.Parallel()
	je := jobError(4, observed(2, resolved, marked(attribution.Mark{By: "alice", Generation: 2})),
		resolved, marked(attribution.Mark{By: "carol", Generation: 4}))
	if got := desiredStatus(je, link{}, expiresAt, now); got.ResolvedBy != "carol" || !got.ResolvedAt.Time.Equal(now) {
		t.Errorf("resolved by %s at %s, want by carol at %s", got.ResolvedBy, got.ResolvedAt, now)
	}
}

func TestFirstStatusCountsTheFirstOccurrence(t *testing.T) {
	t.Parallel()
	f := failure.Failure{Key: "k", Occurrence: "o", At: earlier}
	je := f.JobError(job(""), "x")
	je.Status = desiredStatus(je, link{}, expiresAt, now)
	if je.Status.Occurrences != 1 || !je.Status.FirstSeen.Time.Equal(earlier) || !je.Status.LastSeen.Time.Equal(earlier) {
		t.Errorf("status = %+v", je.Status)
	}
	if again := desiredStatus(je, link{}, expiresAt, now); again.Occurrences != 1 {
		t.Errorf("occurrences = %d after a second reconcile, want 1", again.Occurrences)
	}
}
