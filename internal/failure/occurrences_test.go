// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"fmt"
	"slices"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// failureAt returns a failure that happened n seconds after start.
func failureAt(n int) Failure {
	return Failure{Occurrence: fmt.Sprint(n), At: start.Add(time.Duration(n) * time.Second)}
}

// addSinceStart adds a failure to the status, as an operator that has watched since start.
func addSinceStart(f Failure, status *joberrorv1.JobErrorStatus) bool {
	return f.AddTo(status, start.Time)
}

func TestCountsEachOccurrenceOnce(t *testing.T) {
	t.Parallel()
	var status joberrorv1.JobErrorStatus
	for n := range 3 {
		if !addSinceStart(failureAt(n), &status) {
			t.Errorf("occurrence %d was not counted", n)
		}
	}
	if status.Occurrences != 3 || !status.FirstSeen.Time.Equal(failureAt(0).At) || !status.LastSeen.Time.Equal(failureAt(2).At) {
		t.Errorf("status = %+v, want 3 occurrences, seen from second 0 to 2", status)
	}
	before := status.DeepCopy()
	for n := range 3 {
		laterTime := failureAt(n)
		laterTime.At = laterTime.At.Add(time.Minute)
		if addSinceStart(failureAt(n), &status) || addSinceStart(laterTime, &status) {
			t.Errorf("occurrence %d was counted twice", n)
		}
	}
	if !equality.Semantic.DeepEqual(before, &status) {
		t.Errorf("status = %+v, want it unchanged: %+v", status, before)
	}
	if !addSinceStart(failureAt(-1), &status) || status.Occurrences != 4 || !status.FirstSeen.Time.Equal(failureAt(-1).At) || !status.LastSeen.Time.Equal(failureAt(2).At) {
		t.Errorf("after an earlier occurrence: status = %+v, want 4 occurrences, seen from second -1 to 2", status)
	}
}

// A thousand pods may fail in one second.
func TestCountsManyOccurrencesInOneSecond(t *testing.T) {
	t.Parallel()
	var status joberrorv1.JobErrorStatus
	for n := range 10 * maxRemembered {
		addSinceStart(Failure{Occurrence: fmt.Sprint(n), At: start.Time}, &status)
	}
	if status.Occurrences != 10*maxRemembered {
		t.Errorf("Occurrences = %d, want %d", status.Occurrences, 10*maxRemembered)
	}
	// An operator that starts to watch later sees all of them once more.
	for n := range 10 * maxRemembered {
		(Failure{Occurrence: fmt.Sprint(n), At: start.Time}).AddTo(&status, start.Add(time.Second))
	}
	if status.Occurrences != 10*maxRemembered {
		t.Errorf("after a restart: Occurrences = %d, want %d", status.Occurrences, 10*maxRemembered)
	}
}

func TestRemembersOnlyTheLatestOccurrences(t *testing.T) {
	t.Parallel()
	var status joberrorv1.JobErrorStatus
	for n := range 3 * maxRemembered {
		addSinceStart(failureAt(n), &status)
	}
	if status.Occurrences != 3*maxRemembered || len(status.RecentOccurrences) != maxRemembered {
		t.Errorf("Occurrences = %d, want %d; %d are remembered, want %d", status.Occurrences, 3*maxRemembered, len(status.RecentOccurrences), maxRemembered)
	}
	for n := range 3 * maxRemembered {
		if addSinceStart(failureAt(n), &status) {
			t.Fatalf("occurrence %d was counted twice", n)
		}
	}
	for _, recent := range status.RecentOccurrences {
		if len(recent) > 24 {
			t.Errorf("%q has %d characters, but the schema allows 24", recent, len(recent))
		}
	}
}

func TestCountMarkedCountsTheFirstOccurrenceOnce(t *testing.T) {
	t.Parallel()
	je := failureAt(7).JobError(job("job", "1"), "alice")
	CountMarked(je, &je.Status)
	CountMarked(je, &je.Status)
	if je.Status.Occurrences != 1 || !je.Status.FirstSeen.Time.Equal(failureAt(7).At) || addSinceStart(failureAt(7), &je.Status) {
		t.Errorf("status = %+v, want 1 occurrence, first seen in second 7", je.Status)
	}
	for _, annotation := range []string{"", "7", "1762337700.short", "-762337700.0123456789", "1762337700.ABCDEFGHIJ",
		"1762337700.0123456789*", "1762337700.0123456789*0", "1762337700.0123456789*-1", "1762337700.0123456789*10000"} {
		je := &joberrorv1.JobError{}
		je.Annotations = map[string]string{joberrorv1.AnnotationOccurrence: annotation}
		if CountMarked(je, &je.Status); je.Status.Occurrences != 0 {
			t.Errorf("annotation %q: Occurrences = %d, want 0", annotation, je.Status.Occurrences)
		}
	}
}

func TestCountMarkedCountsTheOccurrenceOfAReopenedError(t *testing.T) {
	t.Parallel()
	je := failureAt(7).JobError(job("job", "1"), "alice")
	CountMarked(je, &je.Status)
	failureAt(9).Annotate(je)
	if !failureAt(9).IsRecordedBy(je) || !failureAt(7).IsRecordedBy(je) || failureAt(8).IsRecordedBy(je) {
		t.Errorf("want the error to record the occurrences of seconds 7 and 9, and not of second 8: %+v", je)
	}
	CountMarked(je, &je.Status)
	CountMarked(je, &je.Status)
	if je.Status.Occurrences != 2 || !je.Status.LastSeen.Time.Equal(failureAt(9).At) {
		t.Errorf("status = %+v, want 2 occurrences, last seen in second 9", je.Status)
	}
	// The annotation may hold an occurrence that is no longer remembered: it is not counted
	// again at each reconcile.
	want := je.Status.Occurrences + 2*maxRemembered
	others := make([]Failure, 2*maxRemembered)
	for n := range others {
		others[n] = Failure{Occurrence: fmt.Sprint("other ", n), At: failureAt(9).At}
		addSinceStart(others[n], &je.Status)
	}
	for _, forgotten := range others {
		forgotten.Annotate(je)
		CountMarked(je, &je.Status)
	}
	if je.Status.Occurrences != want {
		t.Errorf("Occurrences = %d, want %d", je.Status.Occurrences, want)
	}
}

func TestCountsSimultaneousOccurrences(t *testing.T) {
	t.Parallel()
	for _, times := range []int{0, 1, 3, maxRemembered, maxTimes} {
		f := failureAt(7)
		f.Times = times
		je := f.JobError(job("job", "1"), "alice")
		want := int32(max(1, times))
		for range 2 {
			if CountMarked(je, &je.Status); je.Status.Occurrences != want || len(je.Status.RecentOccurrences) != min(int(want), maxRemembered) {
				t.Errorf("Times %d: Occurrences = %d, want %d; %d are remembered", times, je.Status.Occurrences, want, len(je.Status.RecentOccurrences))
			}
		}
		if f.AddTo(&je.Status, start.Add(time.Hour)) || !f.IsRecordedBy(je) {
			t.Errorf("Times %d: want the occurrences counted once, and recorded by the error", times)
		}
		// The same report with one more row adds one occurrence.
		if f.Times = max(1, times) + 1; f.Times <= maxRemembered && (!addSinceStart(f, &je.Status) || je.Status.Occurrences != want+1) {
			t.Errorf("one more than Times %d: Occurrences = %d, want %d", times, je.Status.Occurrences, want+1)
		}
	}
}

// Everybody who may patch the error can write the annotation.
func TestLimitsTheOccurrencesOfAnAnnotation(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{}
	je.Annotations = map[string]string{joberrorv1.AnnotationOccurrence: "1762337700.0123456789*9999"}
	if CountMarked(je, &je.Status); je.Status.Occurrences != maxTimes {
		t.Errorf("Occurrences = %d, want %d", je.Status.Occurrences, maxTimes)
	}
}

func TestMarkIsCounted(t *testing.T) {
	t.Parallel()
	once := Failure{Occurrence: "a", At: time.Unix(1762337700, 0)}
	twice := Failure{Occurrence: "a", At: time.Unix(1762337700, 0), Times: 2}
	for name, test := range map[string]struct {
		marked, counted *Failure
		want            bool
	}{
		"no mark":                {nil, &once, false},
		"not counted":            {&once, nil, false},
		"counted":                {&once, &once, true},
		"only the first counted": {&twice, &once, false},
		"both counted":           {&twice, &twice, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			je := &joberrorv1.JobError{}
			if test.marked != nil {
				test.marked.Annotate(je)
			}
			if test.counted != nil {
				test.counted.AddTo(&je.Status, time.Time{})
			}
			if got := MarkIsCounted(je); got != test.want {
				t.Errorf("MarkIsCounted = %t, want %t", got, test.want)
			}
		})
	}
}

// Whatever records an occurrence is found by a trace of it.
func TestTraces(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "job", UID: "a"}}
	exit := Failure{Key: "exit", Occurrence: "1", PodLevel: true, At: time.Unix(1762337700, 0)}
	other := Failure{Key: "exit", Occurrence: "2", PodLevel: true, At: time.Unix(1762337700, 0)}
	counted := other.JobError(job, "x")
	exit.AddTo(&counted.Status, time.Time{})
	for name, tc := range map[string]struct {
		je   *joberrorv1.JobError
		want bool
	}{
		"its own record":                 {exit.JobError(job, "x"), true},
		"a record that counts it":        {counted, true},
		"the record of all over a limit": {Overflow(exit, 1).JobError(job, "x"), true},
		"another record":                 {other.JobError(job, "x"), false},
		"an error without occurrences":   {&joberrorv1.JobError{}, false},
	} {
		traces := TracesIn(tc.je)
		if got := slices.ContainsFunc(exit.Traces(), func(hash string) bool { return slices.Contains(traces, hash) }); got != tc.want {
			t.Errorf("%s has a trace: %t, want %t", name, got, tc.want)
		}
	}
}

func TestRecordedIn(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "job", UID: "a"}}
	exit := Failure{Key: "exit", Occurrence: "1", PodLevel: true, At: time.Unix(1762337700, 0)}
	as := func(f Failure, change func(*joberrorv1.JobError)) *joberrorv1.JobError {
		je := f.JobError(job, "x")
		je.Labels[joberrorv1.LabelJobUID] = "a"
		change(je)
		return je
	}
	for name, tc := range map[string]struct {
		je   *joberrorv1.JobError
		want bool
	}{
		"its record":                 {as(exit, func(*joberrorv1.JobError) {}), true},
		"its record, numbered":       {as(exit, func(je *joberrorv1.JobError) { je.Name = NumberedName(je.Name, 2) }), true},
		"the record over the limit":  {as(Overflow(exit, 1), func(*joberrorv1.JobError) {}), true},
		"a name that a user took":    {as(exit, func(je *joberrorv1.JobError) { je.Labels = nil }), false},
		"a copied annotation":        {as(exit, func(je *joberrorv1.JobError) { je.Name = "mine" }), false},
		"an error of another Job":    {as(exit, func(je *joberrorv1.JobError) { je.Labels[joberrorv1.LabelJobUID] = "b" }), false},
		"a reported error":           {as(exit, func(je *joberrorv1.JobError) { delete(je.Labels, joberrorv1.LabelCaptured) }), false},
		"a record of something else": {as(Failure{Key: "exit", Occurrence: "2"}, func(*joberrorv1.JobError) {}), false},
	} {
		if got := exit.RecordedIn(tc.je, job.Name, job.UID); got != tc.want {
			t.Errorf("%s: RecordedIn = %t, want %t", name, got, tc.want)
		}
	}
}
