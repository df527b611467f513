// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// said returns what one request reports, n seconds after the start.
func said(t *testing.T, n int, records ...resolvev1.Record) []Failure {
	t.Helper()
	by := Reporter{Request: fmt.Sprint(n), At: start.Add(time.Duration(n) * time.Second)}
	reports, rows := by.Group(records)
	if len(reports) != 1 || len(rows) != 1 || len(rows[0]) != len(records) {
		t.Fatalf("%d rows are %v, %v", len(records), reports, rows)
	}
	return reports[0]
}

func createdIn(n int) string {
	return start.Add(time.Duration(n) * time.Second).Format(time.RFC3339Nano)
}

// kept returns the error that a report creates, once its status is written.
func kept(failures []Failure) *joberrorv1.JobError {
	je := failures[0].JobError(job("job", "1"), "alice")
	first := failures[0]
	first.Occurrence = Created(je).Occurrence
	first.Annotate(je)
	je.Generation, je.Status.ObservedGeneration = 1, 1
	CountMarked(je, &je.Status)
	return je
}

func TestRowsAreGroupedByRecordAndTime(t *testing.T) {
	t.Parallel()
	at := start.UTC().Format(time.RFC3339)
	by := Reporter{Pod: "job-x7k2p", Request: "r", At: start.Add(time.Hour)}
	reports, rows := by.Group([]resolvev1.Record{
		{Message: "a"}, {ID: "b", Message: "b"}, {Message: "a", CreatedAt: at}, {Message: "a"}, {ID: "b", Message: "b"},
		// The same moment in other words, and another user's word.
		{Message: "a", CreatedAt: "2026-11-05T11:15:00.000+01:00", UserID: "5c9"},
		// Ahead of the clock here.
		{ID: "c", Message: "c", CreatedAt: "2026-11-05T11:18:00Z"},
	})
	type failure struct {
		occurrence string
		times      int
		at         int64
	}
	want := [][]failure{
		{{"request/r", 2, by.At.Unix()}, {"createdAt/2026-11-05T10:15:00Z", 2, start.Unix()}},
		{{"request/r", 2, by.At.Unix()}},
		{{"createdAt/2026-11-05T11:18:00Z", 1, by.At.Unix()}},
	}
	var got [][]failure
	for _, failures := range reports {
		var report []failure
		for _, f := range failures {
			report = append(report, failure{f.Occurrence, f.Times, f.At.Unix()})
		}
		got = append(got, report)
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("got\n%v\nwant\n%v", got, want)
	}
	if !slices.EqualFunc(rows, [][]int{{0, 2, 3, 5}, {1, 4}, {6}}, slices.Equal) {
		t.Errorf("the rows are %v", rows)
	}
}

func TestARecordReportedAgainIsCounted(t *testing.T) {
	t.Parallel()
	row := resolvev1.Record{Message: "m"}
	at := func(n int) resolvev1.Record { return resolvev1.Record{Message: "m", CreatedAt: createdIn(n)} }
	for name, tc := range map[string]struct {
		first, again []resolvev1.Record
		want, fresh  int
		lastSeen     int
	}{
		"without a createdAt":               {[]resolvev1.Record{row}, []resolvev1.Record{row}, 2, 1, 100},
		"several rows":                      {[]resolvev1.Record{row, row, row}, []resolvev1.Record{row, row}, 5, 2, 100},
		"with the same createdAt":           {[]resolvev1.Record{at(1), at(1)}, []resolvev1.Record{at(1), at(1)}, 2, 0, 1},
		"with one row more":                 {[]resolvev1.Record{at(1), at(1)}, []resolvev1.Record{at(1), at(1), at(1)}, 3, 1, 1},
		"with another createdAt":            {[]resolvev1.Record{at(1)}, []resolvev1.Record{at(2)}, 2, 1, 2},
		"with an earlier one":               {[]resolvev1.Record{at(1)}, []resolvev1.Record{at(0)}, 2, 1, 1},
		"with the createdAt of the answer":  {[]resolvev1.Record{row}, []resolvev1.Record{at(10)}, 1, 0, 10},
		"with several, of which one is new": {[]resolvev1.Record{at(1)}, []resolvev1.Record{at(1), at(2), at(2)}, 3, 2, 2},
	} {
		je := kept(said(t, 10, tc.first...))
		got := Repeat(je, said(t, 100, tc.again...), start.Add(100*time.Second))
		if int(got.Status.Occurrences) != tc.want || got.New != tc.fresh || got.Reopens() || !got.Status.LastSeen.Time.Equal(start.Add(time.Duration(tc.lastSeen)*time.Second)) {
			t.Errorf("%s: it is %+v, want %d occurrences of which %d are new", name, got, tc.want, tc.fresh)
		}
		je.Status = got.Status
		if again := Repeat(je, said(t, 100, tc.again...), start.Add(200*time.Second)); again.New != 0 || !equality.Semantic.DeepEqual(again.Status, got.Status) {
			t.Errorf("%s: another attempt of the same request counts %d more", name, again.New)
		}
	}
}

// There may be more rows in one second than are remembered.
func TestAllRowsOfManyAreCounted(t *testing.T) {
	t.Parallel()
	var rows []resolvev1.Record
	for n := range maxTimes {
		rows = append(rows, resolvev1.Record{Message: "m", CreatedAt: start.Add(-time.Duration(n) * time.Millisecond).Format(time.RFC3339Nano)})
	}
	je := kept(said(t, 1, rows[0]))
	got := Repeat(je, said(t, 2, rows...), start.Add(time.Second))
	if got.Status.Occurrences != maxTimes || got.New != maxTimes-1 {
		t.Errorf("%d occurrences, %d of them new", got.Status.Occurrences, got.New)
	}
	je.Status = got.Status
	if again := Repeat(je, said(t, 3, rows...), start.Add(time.Second)); again.New != 0 {
		t.Errorf("%d are counted twice", again.New)
	}
	// Three requests come in one second. The error is resolved before the last one.
	at := start.Add(10 * time.Second)
	for n := range 3 {
		if n == 2 {
			je.Spec.Resolved, je.Status.ResolvedAt = true, &metav1.Time{Time: at}
		}
		reports, _ := Reporter{Request: fmt.Sprint(n), At: at}.Group(slices.Repeat([]resolvev1.Record{{Message: "m"}}, maxTimes))
		got := Repeat(je, reports[0], at)
		if je.Status = got.Status; got.Reopens() {
			got.Annotate(je)
			CountMarked(je, &je.Status)
		}
		if want := int32(n+2) * maxTimes; je.Status.Occurrences != want || len(je.Status.RecentOccurrences) != maxRemembered || got.Reopens() != (n == 2) {
			t.Errorf("request %d: %d occurrences, want %d; %d remembered; reopened %t", n, je.Status.Occurrences, want, len(je.Status.RecentOccurrences), got.Reopens())
		}
	}
}

func TestWhatReopensARecord(t *testing.T) {
	t.Parallel()
	row := resolvev1.Record{Message: "m"}
	at := func(n int) resolvev1.Record { return resolvev1.Record{Message: "m", CreatedAt: createdIn(n)} }
	resolved := resolvev1.Record{Message: "m", Resolved: true}
	gone := metav1.NewTime(start.Add(60 * time.Second))
	// It is created at 10 and resolved at 50.
	for name, tc := range map[string]struct {
		again   []resolvev1.Record
		with    func(*joberrorv1.JobError)
		reopens bool
		// counted are the occurrences in the status, without the one it is reopened for.
		counted int32
	}{
		"a report after it was resolved":      {again: []resolvev1.Record{row}, reopens: true, counted: 1},
		"one of what happened before":         {again: []resolvev1.Record{at(49)}, counted: 2},
		"one of the second":                   {again: []resolvev1.Record{at(50)}, reopens: true, counted: 1},
		"one that was counted":                {again: []resolvev1.Record{at(10)}, counted: 1},
		"one that is resolved":                {again: []resolvev1.Record{resolved}, counted: 2},
		"one of several rows that is open":    {again: []resolvev1.Record{resolved, row, resolved}, reopens: true, counted: 3},
		"several times, the last counts last": {again: []resolvev1.Record{at(51), row, at(20), at(60)}, reopens: true, counted: 4},
		"an error that is open":               {again: []resolvev1.Record{row}, with: func(je *joberrorv1.JobError) { je.Spec.Resolved = false }, counted: 2},
		"an error that is being deleted":      {again: []resolvev1.Record{row}, with: func(je *joberrorv1.JobError) { je.DeletionTimestamp = &gone }, counted: 2},
		"a status that lags behind":           {again: []resolvev1.Record{at(49)}, with: func(je *joberrorv1.JobError) { je.Generation = 3 }, reopens: true, counted: 1},
	} {
		je := kept(said(t, 10, row))
		je.Spec.Resolved, je.Generation, je.Status.ObservedGeneration = true, 2, 2
		je.Status.ResolvedAt = &metav1.Time{Time: start.Add(50 * time.Second)}
		if tc.with != nil {
			tc.with(je)
		}
		got := Repeat(je, said(t, 100, tc.again...), start.Add(100*time.Second))
		if got.Reopens() != tc.reopens || got.Status.Occurrences != tc.counted {
			t.Errorf("%s: it is %+v", name, got)
			continue
		}
		if je.Status = got.Status; got.Reopens() {
			got.Annotate(je)
			CountMarked(je, &je.Status)
		}
		if int(je.Status.Occurrences) != 1+got.New {
			t.Errorf("%s: %d occurrences, %d of them new", name, je.Status.Occurrences, got.New)
		}
		je.Spec.Resolved = true
		if again := Repeat(je, said(t, 100, tc.again...), start.Add(100*time.Second)); again.New != 0 || again.Reopens() {
			t.Errorf("%s: another attempt of the same request makes it %+v", name, again)
		}
	}
}

func TestAnErrorThatNobodyReportedHasHappenedOnce(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Message: "m", CreatedAt: createdIn(5)}}
	got := Repeat(je, said(t, 10, resolvev1.Record{Message: "m"}), start.Add(10*time.Second))
	if got.Status.Occurrences != 2 || got.New != 1 || !got.Status.FirstSeen.Time.Equal(start.Add(5*time.Second)) {
		t.Errorf("it is %+v", got)
	}
}

// A failure in the second in which an error was resolved may be what it was
// resolved for.
func TestACapturedFailureReopensOnlyWhatWasResolvedBefore(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Resolved: true}}
	for n, want := range []bool{false, false, true} {
		if got := nth(n).Reopens(je, nth(1).At); got != want {
			t.Errorf("one that happened at %d: %t, want %t", n, got, want)
		}
	}
}
