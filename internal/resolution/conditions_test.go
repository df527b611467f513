// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package resolution

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestCompleted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name            string
		outcomes        []Outcome
		reason, message string
	}{
		{name: "an entry about nothing is all done", reason: joberrorv1.ReasonAllDone,
			message: "0 updated, 0 unchanged, 0 failed"},
		{name: "one without a failure is all done", outcomes: []Outcome{done("e1", Updated), done("e2", Unchanged)},
			reason: joberrorv1.ReasonAllDone, message: "1 updated, 1 unchanged, 0 failed"},
		{name: "one with a failure says so", outcomes: []Outcome{done("e1", Updated), NotFound("e2")},
			reason: joberrorv1.ReasonSomeFailed, message: "1 updated, 0 unchanged, 1 failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tally := NewTally(&joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Generation: 1}}, now)
			for _, o := range tc.outcomes {
				tally.Add(o)
			}
			underway, end := tally.Progress(now), now.Add(time.Minute)
			if len(underway.Conditions) != 2 {
				t.Fatalf("conditions under way = %+v, want two", underway.Conditions)
			}
			got := tally.Completed(end)
			if len(got.Conditions) != 1 {
				t.Fatalf("conditions = %+v, want Reconciling gone and Complete alone", got.Conditions)
			}
			want := metav1.Condition{Type: joberrorv1.ConditionComplete, Status: metav1.ConditionTrue, ObservedGeneration: 1,
				LastTransitionTime: metav1.NewTime(end), Reason: tc.reason, Message: tc.message}
			if got.Conditions[0] != want {
				t.Errorf("condition = %+v, want %+v", got.Conditions[0], want)
			}
			if got.CompletedAt == nil || !got.CompletedAt.Time.Equal(end) || got.ObservedGeneration != 1 {
				t.Errorf("completedAt %s, observedGeneration %d, want %s, 1", got.CompletedAt, got.ObservedGeneration, end)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	tally := NewTally(&joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Generation: 1}}, now)
	tally.Add(done("e1", Updated))
	first := tally.Progress(now)
	tally.Add(done("e2", Unchanged))
	tally.Add(NotFound("e3"))
	second := tally.Progress(now.Add(time.Second))

	for name, status := range map[string]metav1.ConditionStatus{
		joberrorv1.ConditionComplete:    metav1.ConditionFalse,
		joberrorv1.ConditionReconciling: metav1.ConditionTrue,
	} {
		want := metav1.Condition{Type: name, Status: status, ObservedGeneration: 1, LastTransitionTime: metav1.NewTime(now),
			Reason: joberrorv1.ReasonInProgress, Message: "1 errors worked through"}
		if got := meta.FindStatusCondition(first.Conditions, name); got == nil || *got != want {
			t.Errorf("first condition %s = %+v, want %+v", name, got, want)
		}
		want.Message = "3 errors worked through"
		if got := meta.FindStatusCondition(second.Conditions, name); got == nil || *got != want {
			t.Errorf("second condition %s = %+v, want %+v", name, got, want)
		}
	}
	if second.Matched != 2 || second.Updated != 1 || second.Unchanged != 1 || second.Failed != 1 {
		t.Errorf("counts = %+v, want 2 matched, and 1 updated, unchanged and failed", second)
	}
	if second.CompletedAt != nil || second.Errors != nil || second.Failures != nil {
		t.Errorf("an entry under way must have no end and no names yet: %+v", second)
	}
}

func TestComplete(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status joberrorv1.JobErrorResolutionStatus
		want   bool
	}{
		{name: "a new entry is not", status: joberrorv1.JobErrorResolutionStatus{}},
		{name: "one under way is not", status: added(done("e1", Updated)).Progress(now)},
		{name: "one that is worked through is", status: added(done("e1", Updated)).Completed(now), want: true},
		{name: "one with failures is too", status: added(NotFound("e1")).Completed(now), want: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := Complete(&joberrorv1.JobErrorResolution{Status: tc.status}); got != tc.want {
				t.Errorf("Complete = %t, want %t", got, tc.want)
			}
		})
	}
}
