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
		{name: "a resolution without errors is all done", reason: joberrorv1.ReasonAllDone,
			message: "0 updated, 0 unchanged, 0 failed"},
		{name: "a resolution without failures is all done", outcomes: []Outcome{outcome("e1", Updated), outcome("e2", Unchanged)},
			reason: joberrorv1.ReasonAllDone, message: "1 updated, 1 unchanged, 0 failed"},
		{name: "a resolution with a failure has failed in part", outcomes: []Outcome{outcome("e1", Updated), NotFound("e2")},
			reason: joberrorv1.ReasonSomeFailed, message: "1 updated, 0 unchanged, 1 failed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tally := NewTally(&joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Generation: 1}}, now)
			for _, o := range tc.outcomes {
				tally.Add(o)
			}
			inProgress, end := tally.Progress(now), now.Add(time.Minute)
			if len(inProgress.Conditions) != 2 {
				t.Fatalf("conditions in progress = %+v, want two", inProgress.Conditions)
			}
			got := tally.Completed(end)
			if len(got.Conditions) != 1 {
				t.Fatalf("conditions = %+v, want only Complete", got.Conditions)
			}
			want := metav1.Condition{Type: joberrorv1.ConditionComplete, Status: metav1.ConditionTrue, ObservedGeneration: 1,
				LastTransitionTime: metav1.NewTime(end), Reason: tc.reason, Message: tc.message}
			if got.Conditions[0] != want {
				t.Errorf("condition = %+v, want %+v", got.Conditions[0], want)
			}
			if got.CompletedAt == nil || !got.CompletedAt.Time.Equal(end) || got.ObservedGeneration != 1 {
				t.Errorf("completedAt = %s, observedGeneration = %d, want %s, 1", got.CompletedAt, got.ObservedGeneration, end)
			}
		})
	}
}

func TestProgress(t *testing.T) {
	t.Parallel()
	tally := NewTally(&joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Generation: 1}}, now)
	tally.Add(outcome("e1", Updated))
	first := tally.Progress(now)
	tally.Add(outcome("e2", Unchanged))
	tally.Add(NotFound("e3"))
	second := tally.Progress(now.Add(time.Second))

	for conditionType, status := range map[string]metav1.ConditionStatus{
		joberrorv1.ConditionComplete:    metav1.ConditionFalse,
		joberrorv1.ConditionReconciling: metav1.ConditionTrue,
	} {
		want := metav1.Condition{Type: conditionType, Status: status, ObservedGeneration: 1, LastTransitionTime: metav1.NewTime(now),
			Reason: joberrorv1.ReasonInProgress, Message: "1 errors processed"}
		if got := meta.FindStatusCondition(first.Conditions, conditionType); got == nil || *got != want {
			t.Errorf("first condition %s = %+v, want %+v", conditionType, got, want)
		}
		want.Message = "3 errors processed"
		if got := meta.FindStatusCondition(second.Conditions, conditionType); got == nil || *got != want {
			t.Errorf("second condition %s = %+v, want %+v", conditionType, got, want)
		}
	}
	if second.Matched != 2 || second.Updated != 1 || second.Unchanged != 1 || second.Failed != 1 {
		t.Errorf("counts = %+v, want 2 matched, and 1 updated, unchanged and failed", second)
	}
	if second.CompletedAt != nil || second.Errors != nil || second.Failures != nil {
		t.Errorf("status in progress = %+v, want no completion and no names", second)
	}
}

func TestWaiting(t *testing.T) {
	t.Parallel()
	jer := &joberrorv1.JobErrorResolution{
		ObjectMeta: metav1.ObjectMeta{Generation: 1}, Status: joberrorv1.JobErrorResolutionStatus{ObservedGeneration: -1},
	}
	got := Waiting(jer, now)
	if got.ObservedGeneration != 1 || got.StartedAt != nil || IsComplete(&joberrorv1.JobErrorResolution{Status: got}) ||
		!meta.IsStatusConditionTrue(got.Conditions, joberrorv1.ConditionReconciling) {
		t.Errorf("status = %+v, want it seen and reconciling, not started", got)
	}
	jer.Status = got
	if done := NewTally(jer, now).Completed(now); len(done.Conditions) != 1 {
		t.Errorf("conditions at the end = %+v, want only Complete", done.Conditions)
	}
}

func TestIsComplete(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status joberrorv1.JobErrorResolutionStatus
		want   bool
	}{
		{name: "a new resolution is not complete", status: joberrorv1.JobErrorResolutionStatus{}},
		{name: "a resolution in progress is not complete", status: tallyOf(outcome("e1", Updated)).Progress(now)},
		{name: "a completed resolution is complete", status: tallyOf(outcome("e1", Updated)).Completed(now), want: true},
		{name: "a completed resolution with failures is complete", status: tallyOf(NotFound("e1")).Completed(now), want: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := IsComplete(&joberrorv1.JobErrorResolution{Status: tc.status}); got != tc.want {
				t.Errorf("IsComplete = %t, want %t", got, tc.want)
			}
		})
	}
}
