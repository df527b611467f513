// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package resolution

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

var now = time.Date(2026, time.November, 5, 10, 15, 0, 0, time.UTC)

func tallyOf(outcomes ...Outcome) *Tally {
	t := NewTally(&joberrorv1.JobErrorResolution{}, now)
	for _, o := range outcomes {
		t.Add(o)
	}
	return t
}

func outcome(name string, result Result) Outcome { return Outcome{Name: name, Result: result} }

func TestCompletedCountsOutcomes(t *testing.T) {
	t.Parallel()
	rejected := Failure("e4", joberrorv1.FailureRejected, "a policy forbids it")
	for _, tc := range []struct {
		name                                string
		outcomes                            []Outcome
		matched, updated, unchanged, failed int32
		errors                              []string
	}{
		{name: "a resolution without errors counts nothing"},
		{name: "an updated error is matched", outcomes: []Outcome{outcome("e1", Updated)},
			matched: 1, updated: 1, errors: []string{"e1"}},
		{name: "an unchanged error is matched", outcomes: []Outcome{outcome("e1", Unchanged)},
			matched: 1, unchanged: 1, errors: []string{"e1"}},
		{name: "a rejected write is matched and failed", outcomes: []Outcome{rejected},
			matched: 1, failed: 1, errors: []string{"e4"}},
		{name: "an unknown name is failed, not matched", outcomes: []Outcome{NotFound("e5")}, failed: 1},
		{name: "another job's error is failed, not matched", outcomes: []Outcome{OtherJob("e6")}, failed: 1},
		{name: "all results add up and the names are sorted",
			outcomes: []Outcome{rejected, outcome("e3", Unchanged), NotFound("e5"), outcome("e2", Updated), OtherJob("e6"), outcome("e1", Updated)},
			matched:  4, updated: 2, unchanged: 1, failed: 3, errors: []string{"e1", "e2", "e3", "e4"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tally := tallyOf(tc.outcomes...)
			got := tally.Completed(now)
			counts := [4]int32{got.Matched, got.Updated, got.Unchanged, got.Failed}
			if want := [4]int32{tc.matched, tc.updated, tc.unchanged, tc.failed}; counts != want {
				t.Errorf("matched, updated, unchanged, failed = %v, want %v", counts, want)
			}
			if !slices.Equal(got.Errors, tc.errors) || got.Truncated {
				t.Errorf("errors = %v, truncated = %t, want %v, false", got.Errors, got.Truncated, tc.errors)
			}
			if tally.Changes() != int(tc.updated) {
				t.Errorf("Changes = %d, want %d", tally.Changes(), tc.updated)
			}
		})
	}
}

func TestErrorsAreTruncatedToAThousandNames(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name      string
		count     int
		truncated bool
	}{
		{name: "a thousand names are all listed", count: 1000},
		{name: "of 1001 names, the first thousand are listed", count: 1001, truncated: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tally := tallyOf()
			for i := range tc.count {
				tally.Add(outcome(fmt.Sprintf("e%04d", tc.count-1-i), Updated))
			}
			got := tally.Completed(now)
			if len(got.Errors) != 1000 || got.Errors[0] != "e0000" || got.Errors[999] != "e0999" {
				t.Errorf("%d errors from %s to %s, want e0000 to e0999", len(got.Errors), got.Errors[0], got.Errors[len(got.Errors)-1])
			}
			if got.Truncated != tc.truncated || got.Matched != int32(tc.count) {
				t.Errorf("truncated = %t, matched = %d, want %t, %d", got.Truncated, got.Matched, tc.truncated, tc.count)
			}
		})
	}
}

func TestATallyHoldsOnlyWhatTheStatusLists(t *testing.T) {
	t.Parallel()
	tally := tallyOf()
	for i := range 5000 {
		tally.Add(outcome(fmt.Sprintf("e%04d", (i*7)%5000), Updated))
		tally.Add(NotFound(fmt.Sprintf("f%04d", (i*7)%5000)))
	}
	if len(tally.names) != joberrorv1.MaxListedErrors || len(tally.failures) != joberrorv1.MaxListedFailures {
		t.Errorf("the tally holds %d names and %d failures, want %d and %d", len(tally.names), len(tally.failures), joberrorv1.MaxListedErrors, joberrorv1.MaxListedFailures)
	}
	got := tally.Completed(now)
	if got.Matched != 5000 || got.Failed != 5000 || !got.Truncated || got.Errors[999] != "e0999" || got.Failures[9].Name != "f0009" {
		t.Errorf("matched = %d, failed = %d, errors up to %s, failures up to %s; want all counted, and the first listed",
			got.Matched, got.Failed, got.Errors[999], got.Failures[9].Name)
	}
}

func TestFailuresAreTruncatedToTen(t *testing.T) {
	t.Parallel()
	tally := tallyOf()
	for i := range 12 {
		tally.Add(NotFound(fmt.Sprintf("e%02d", 11-i)))
	}
	got := tally.Completed(now)
	if len(got.Failures) != 10 || got.Failed != 12 {
		t.Fatalf("%d failures listed, %d counted, want 10, 12", len(got.Failures), got.Failed)
	}
	for i, failure := range got.Failures {
		if want := fmt.Sprintf("e%02d", i); failure.Name != want {
			t.Errorf("failure %d names %s, want %s", i, failure.Name, want)
		}
		if failure.Reason != joberrorv1.FailureNotFound || failure.Message == "" {
			t.Errorf("failure %d = %+v, want the reason NotFound and a message", i, failure)
		}
	}
}

func TestStartedAt(t *testing.T) {
	t.Parallel()
	earlier := metav1.NewTime(now.Add(-time.Hour))
	for _, tc := range []struct {
		name   string
		before *metav1.Time
		want   time.Time
	}{
		{name: "a new resolution starts now", want: now},
		{name: "a resolution that continues keeps its start", before: &earlier, want: earlier.Time},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			jer := &joberrorv1.JobErrorResolution{Status: joberrorv1.JobErrorResolutionStatus{StartedAt: tc.before}}
			if got := NewTally(jer, now).Completed(now).StartedAt; !got.Time.Equal(tc.want) {
				t.Errorf("startedAt = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestCountsStartAtZeroAfterAnInterruption(t *testing.T) {
	t.Parallel()
	jer := &joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Generation: 1}}
	first := NewTally(jer, now)
	first.Add(outcome("e1", Updated))
	jer.Status = first.Progress(now)

	resumed := NewTally(jer, now.Add(time.Minute))
	resumed.Add(outcome("e1", Updated))
	jer.Status = resumed.Completed(now.Add(time.Minute))
	if jer.Status.Updated != 1 || jer.Status.Matched != 1 {
		t.Errorf("updated = %d, matched = %d, want 1, 1", jer.Status.Updated, jer.Status.Matched)
	}
	if !IsComplete(jer) || meta.FindStatusCondition(jer.Status.Conditions, joberrorv1.ConditionReconciling) != nil {
		t.Errorf("conditions = %+v, want only Complete", jer.Status.Conditions)
	}
}
