// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"

	joberrorv1 "joberror.io/operator/api/v1"
)

// nth is what happened n seconds after the start.
func nth(n int) Failure {
	return Failure{Occurrence: fmt.Sprint(n), At: start.Add(time.Duration(n) * time.Second)}
}

// counted counts an occurrence as one who has watched since the start.
func counted(f Failure, status *joberrorv1.JobErrorStatus) bool { return f.AddTo(status, start.Time) }

func TestNoOccurrenceIsCountedTwice(t *testing.T) {
	t.Parallel()
	var status joberrorv1.JobErrorStatus
	for n := range 3 {
		if !counted(nth(n), &status) {
			t.Errorf("occurrence %d was not counted", n)
		}
	}
	if status.Occurrences != 3 || !status.FirstSeen.Time.Equal(nth(0).At) || !status.LastSeen.Time.Equal(nth(2).At) {
		t.Errorf("counted %+v", status)
	}
	before := status.DeepCopy()
	for n := range 3 {
		later := nth(n)
		later.At = later.At.Add(time.Minute)
		if counted(nth(n), &status) || counted(later, &status) {
			t.Errorf("occurrence %d was counted twice", n)
		}
	}
	if !equality.Semantic.DeepEqual(before, &status) {
		t.Errorf("%+v became %+v", before, status)
	}
	if !counted(nth(-1), &status) || status.Occurrences != 4 || !status.FirstSeen.Time.Equal(nth(-1).At) || !status.LastSeen.Time.Equal(nth(2).At) {
		t.Errorf("one that is seen late makes %+v", status)
	}
}

// A thousand pods may fail in one second.
func TestManyOccurrencesInOneSecondAreAllCounted(t *testing.T) {
	t.Parallel()
	var status joberrorv1.JobErrorStatus
	for n := range 10 * maxRemembered {
		counted(Failure{Occurrence: fmt.Sprint(n), At: start.Time}, &status)
	}
	if status.Occurrences != 10*maxRemembered {
		t.Errorf("%d occurrences were counted, want %d", status.Occurrences, 10*maxRemembered)
	}
	// Who watches only since then sees all of them once more.
	for n := range 10 * maxRemembered {
		(Failure{Occurrence: fmt.Sprint(n), At: start.Time}).AddTo(&status, start.Add(time.Second))
	}
	if status.Occurrences != 10*maxRemembered {
		t.Errorf("after a restart it is %d occurrences, want %d", status.Occurrences, 10*maxRemembered)
	}
}

func TestOnlyTheLatestOccurrencesAreRemembered(t *testing.T) {
	t.Parallel()
	var status joberrorv1.JobErrorStatus
	for n := range 3 * maxRemembered {
		counted(nth(n), &status)
	}
	if status.Occurrences != 3*maxRemembered || len(status.RecentOccurrences) != maxRemembered {
		t.Errorf("%d occurrences, %d remembered", status.Occurrences, len(status.RecentOccurrences))
	}
	for n := range 3 * maxRemembered {
		if counted(nth(n), &status) {
			t.Fatalf("occurrence %d was counted twice", n)
		}
	}
	for _, mark := range status.RecentOccurrences {
		if len(mark) > 24 {
			t.Errorf("%q is longer than the schema takes", mark)
		}
	}
}

func TestTheOccurrenceThatAnErrorWasMadeForIsCountedOnce(t *testing.T) {
	t.Parallel()
	je := nth(7).JobError(job("job", "1"), "alice")
	CountMarked(je, &je.Status)
	CountMarked(je, &je.Status)
	if je.Status.Occurrences != 1 || !je.Status.FirstSeen.Time.Equal(nth(7).At) || counted(nth(7), &je.Status) {
		t.Errorf("counted %+v", je.Status)
	}
	for _, mark := range []string{"", "7", "1762337700.short", "-762337700.0123456789", "1762337700.ABCDEFGHIJ",
		"1762337700.0123456789*", "1762337700.0123456789*0", "1762337700.0123456789*-1", "1762337700.0123456789*10000"} {
		je := &joberrorv1.JobError{}
		je.Annotations = map[string]string{joberrorv1.AnnotationOccurrence: mark}
		if CountMarked(je, &je.Status); je.Status.Occurrences != 0 {
			t.Errorf("%q counts as an occurrence", mark)
		}
	}
}

func TestAnErrorIsReopenedForOneMoreOccurrence(t *testing.T) {
	t.Parallel()
	je := nth(7).JobError(job("job", "1"), "alice")
	CountMarked(je, &je.Status)
	nth(9).Annotate(je)
	if !nth(9).IsRecordedBy(je) || !nth(7).IsRecordedBy(je) || nth(8).IsRecordedBy(je) {
		t.Errorf("of three it is about other than two: %+v", je)
	}
	CountMarked(je, &je.Status)
	CountMarked(je, &je.Status)
	if je.Status.Occurrences != 2 || !je.Status.LastSeen.Time.Equal(nth(9).At) {
		t.Errorf("counted %+v", je.Status)
	}
	// A mark that is forgotten by now is not counted at each reconcile.
	before := je.Status.Occurrences + 2*maxRemembered
	others := make([]Failure, 2*maxRemembered)
	for n := range others {
		others[n] = Failure{Occurrence: fmt.Sprint("other ", n), At: nth(9).At}
		counted(others[n], &je.Status)
	}
	for _, forgotten := range others {
		forgotten.Annotate(je)
		CountMarked(je, &je.Status)
	}
	if je.Status.Occurrences != before {
		t.Errorf("%d occurrences became %d", before, je.Status.Occurrences)
	}
}

func TestWhatHappensSeveralTimesAtOnceIsCountedAsOften(t *testing.T) {
	t.Parallel()
	for _, times := range []int{0, 1, 3, maxRemembered, maxTimes} {
		f := nth(7)
		f.Times = times
		je := f.JobError(job("job", "1"), "alice")
		want := int32(max(1, times))
		for range 2 {
			if CountMarked(je, &je.Status); je.Status.Occurrences != want || len(je.Status.RecentOccurrences) != min(int(want), maxRemembered) {
				t.Errorf("%d at once are %d, of which %d are remembered", times, je.Status.Occurrences, len(je.Status.RecentOccurrences))
			}
		}
		if f.AddTo(&je.Status, start.Add(time.Hour)) || !f.IsRecordedBy(je) {
			t.Errorf("%d at once are counted twice", times)
		}
		// One more in the same report is the only one that is new.
		if f.Times = max(1, times) + 1; f.Times <= maxRemembered && (!counted(f, &je.Status) || je.Status.Occurrences != want+1) {
			t.Errorf("one more than %d at once is %d", times, je.Status.Occurrences)
		}
	}
}

// The annotation is open to whoever may patch the error.
func TestAMarkStandsForNoMoreThanAReportHolds(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{}
	je.Annotations = map[string]string{joberrorv1.AnnotationOccurrence: "1762337700.0123456789*9999"}
	if CountMarked(je, &je.Status); je.Status.Occurrences != maxTimes {
		t.Errorf("%d occurrences are counted, want %d", je.Status.Occurrences, maxTimes)
	}
}
