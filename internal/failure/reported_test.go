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

// reportAt returns the failures that one request reports, n seconds after start. The
// records must have the same key.
func reportAt(t *testing.T, n int, records ...resolvev1.Record) []Failure {
	t.Helper()
	by := Reporter{Request: fmt.Sprint(n), At: start.Add(time.Duration(n) * time.Second)}
	reports, rows := by.Group(records)
	if len(reports) != 1 || len(rows) != 1 || len(rows[0]) != len(records) {
		t.Fatalf("Group of %d rows = %v, %v, want one record", len(records), reports, rows)
	}
	return reports[0]
}

// timestampAt returns the createdAt of a record, n seconds after start.
func timestampAt(n int) string {
	return start.Add(time.Duration(n) * time.Second).Format(time.RFC3339Nano)
}

// storedError returns the error that a report creates, with its status written.
func storedError(failures []Failure) *joberrorv1.JobError {
	je := failures[0].JobError(job("job", "1"), "alice")
	first := failures[0]
	first.Occurrence = Created(je).Occurrence
	first.Annotate(je)
	je.Generation, je.Status.ObservedGeneration = 1, 1
	CountMarked(je, &je.Status)
	return je
}

func TestGroupsRowsByRecordAndTime(t *testing.T) {
	t.Parallel()
	startText := start.UTC().Format(time.RFC3339)
	by := Reporter{Pod: "job-x7k2p", Request: "r", At: start.Add(time.Hour)}
	reports, rows := by.Group([]resolvev1.Record{
		{Message: "a"}, {ID: "b", Message: "b"}, {Message: "a", CreatedAt: startText}, {Message: "a"}, {ID: "b", Message: "b"},
		// The same time in another zone, from another user.
		{Message: "a", CreatedAt: "2026-11-05T11:15:00.000+01:00", UserID: "5c9"},
		// Later than the request.
		{ID: "c", Message: "c", CreatedAt: "2026-11-05T11:18:00Z"},
	})
	type summary struct {
		occurrence string
		times      int
		at         int64
	}
	want := [][]summary{
		{{"request/r", 2, by.At.Unix()}, {"createdAt/2026-11-05T10:15:00Z", 2, start.Unix()}},
		{{"request/r", 2, by.At.Unix()}},
		{{"createdAt/2026-11-05T11:18:00Z", 1, by.At.Unix()}},
	}
	var got [][]summary
	for _, failures := range reports {
		var summaries []summary
		for _, f := range failures {
			summaries = append(summaries, summary{f.Occurrence, f.Times, f.At.Unix()})
		}
		got = append(got, summaries)
	}
	if !slices.EqualFunc(got, want, slices.Equal) {
		t.Errorf("failures =\n%v\nwant\n%v", got, want)
	}
	if wantRows := [][]int{{0, 2, 3, 5}, {1, 4}, {6}}; !slices.EqualFunc(rows, wantRows, slices.Equal) {
		t.Errorf("rows = %v, want %v", rows, wantRows)
	}
}

func TestCountsRepeatedRecords(t *testing.T) {
	t.Parallel()
	row := resolvev1.Record{Message: "m"}
	rowAt := func(n int) resolvev1.Record { return resolvev1.Record{Message: "m", CreatedAt: timestampAt(n)} }
	for name, tc := range map[string]struct {
		first, again             []resolvev1.Record
		wantOccurrences, wantNew int
		wantLastSeen             int // seconds after start
	}{
		"no createdAt":                       {[]resolvev1.Record{row}, []resolvev1.Record{row}, 2, 1, 100},
		"several rows without createdAt":     {[]resolvev1.Record{row, row, row}, []resolvev1.Record{row, row}, 5, 2, 100},
		"same createdAt":                     {[]resolvev1.Record{rowAt(1), rowAt(1)}, []resolvev1.Record{rowAt(1), rowAt(1)}, 2, 0, 1},
		"same createdAt in one more row":     {[]resolvev1.Record{rowAt(1), rowAt(1)}, []resolvev1.Record{rowAt(1), rowAt(1), rowAt(1)}, 3, 1, 1},
		"later createdAt":                    {[]resolvev1.Record{rowAt(1)}, []resolvev1.Record{rowAt(2)}, 2, 1, 2},
		"earlier createdAt":                  {[]resolvev1.Record{rowAt(1)}, []resolvev1.Record{rowAt(0)}, 2, 1, 1},
		"createdAt that the server returned": {[]resolvev1.Record{row}, []resolvev1.Record{rowAt(10)}, 1, 0, 10},
		"known and new createdAt":            {[]resolvev1.Record{rowAt(1)}, []resolvev1.Record{rowAt(1), rowAt(2), rowAt(2)}, 3, 2, 2},
	} {
		je := storedError(reportAt(t, 10, tc.first...))
		got := Repeat(je, reportAt(t, 100, tc.again...), start.Add(100*time.Second))
		if int(got.Status.Occurrences) != tc.wantOccurrences || got.New != tc.wantNew || got.Reopens() || !got.Status.LastSeen.Time.Equal(start.Add(time.Duration(tc.wantLastSeen)*time.Second)) {
			t.Errorf("%s: Repeat = %+v, want %d occurrences, %d of them new, last seen in second %d, not reopened", name, got, tc.wantOccurrences, tc.wantNew, tc.wantLastSeen)
		}
		je.Status = got.Status
		if retry := Repeat(je, reportAt(t, 100, tc.again...), start.Add(200*time.Second)); retry.New != 0 || !equality.Semantic.DeepEqual(retry.Status, got.Status) {
			t.Errorf("%s: retry of the request: New = %d and status = %+v, want 0 and the same status", name, retry.New, retry.Status)
		}
	}
}

// One second may have more rows than the status remembers.
func TestCountsMoreRowsThanAreRemembered(t *testing.T) {
	t.Parallel()
	var rows []resolvev1.Record
	for n := range maxTimes {
		rows = append(rows, resolvev1.Record{Message: "m", CreatedAt: start.Add(-time.Duration(n) * time.Millisecond).Format(time.RFC3339Nano)})
	}
	je := storedError(reportAt(t, 1, rows[0]))
	got := Repeat(je, reportAt(t, 2, rows...), start.Add(time.Second))
	if got.Status.Occurrences != maxTimes || got.New != maxTimes-1 {
		t.Errorf("Occurrences = %d, want %d; New = %d, want %d", got.Status.Occurrences, maxTimes, got.New, maxTimes-1)
	}
	je.Status = got.Status
	if repeated := Repeat(je, reportAt(t, 3, rows...), start.Add(time.Second)); repeated.New != 0 {
		t.Errorf("same rows again: New = %d, want 0", repeated.New)
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
			t.Errorf("request %d: Occurrences = %d, want %d; %d are remembered, want %d; Reopens = %t, want %t", n, je.Status.Occurrences, want, len(je.Status.RecentOccurrences), maxRemembered, got.Reopens(), n == 2)
		}
	}
}

func TestRepeatReopensResolvedErrors(t *testing.T) {
	t.Parallel()
	row := resolvev1.Record{Message: "m"}
	rowAt := func(n int) resolvev1.Record { return resolvev1.Record{Message: "m", CreatedAt: timestampAt(n)} }
	resolved := resolvev1.Record{Message: "m", Resolved: true}
	deletedAt := metav1.NewTime(start.Add(60 * time.Second))
	// The error is created in second 10, resolved in second 50, and reported again in
	// second 100.
	for name, tc := range map[string]struct {
		again   []resolvev1.Record
		change  func(*joberrorv1.JobError)
		reopens bool
		// want is the number of occurrences in the status, without the one that reopens the
		// error.
		want int32
	}{
		"no createdAt":                              {again: []resolvev1.Record{row}, reopens: true, want: 1},
		"createdAt before the resolution":           {again: []resolvev1.Record{rowAt(49)}, want: 2},
		"createdAt in the second of the resolution": {again: []resolvev1.Record{rowAt(50)}, reopens: true, want: 1},
		"createdAt already counted":                 {again: []resolvev1.Record{rowAt(10)}, want: 1},
		"record reported as resolved":               {again: []resolvev1.Record{resolved}, want: 2},
		"one open row among resolved ones":          {again: []resolvev1.Record{resolved, row, resolved}, reopens: true, want: 3},
		"several rows, reopened by the latest":      {again: []resolvev1.Record{rowAt(51), row, rowAt(20), rowAt(60)}, reopens: true, want: 4},
		"open error":                                {again: []resolvev1.Record{row}, change: func(je *joberrorv1.JobError) { je.Spec.Resolved = false }, want: 2},
		"error being deleted":                       {again: []resolvev1.Record{row}, change: func(je *joberrorv1.JobError) { je.DeletionTimestamp = &deletedAt }, want: 2},
		"status out of date":                        {again: []resolvev1.Record{rowAt(49)}, change: func(je *joberrorv1.JobError) { je.Generation = 3 }, reopens: true, want: 1},
	} {
		je := storedError(reportAt(t, 10, row))
		je.Spec.Resolved, je.Generation, je.Status.ObservedGeneration = true, 2, 2
		je.Status.ResolvedAt = &metav1.Time{Time: start.Add(50 * time.Second)}
		if tc.change != nil {
			tc.change(je)
		}
		got := Repeat(je, reportAt(t, 100, tc.again...), start.Add(100*time.Second))
		if got.Reopens() != tc.reopens || got.Status.Occurrences != tc.want {
			t.Errorf("%s: Repeat = %+v, want %d occurrences and Reopens = %t", name, got, tc.want, tc.reopens)
			continue
		}
		if je.Status = got.Status; got.Reopens() {
			got.Annotate(je)
			CountMarked(je, &je.Status)
		}
		if int(je.Status.Occurrences) != 1+got.New {
			t.Errorf("%s: Occurrences = %d, want %d", name, je.Status.Occurrences, 1+got.New)
		}
		je.Spec.Resolved = true
		if retry := Repeat(je, reportAt(t, 100, tc.again...), start.Add(100*time.Second)); retry.New != 0 || retry.Reopens() {
			t.Errorf("%s: retry of the request: Repeat = %+v, want no new occurrence and no reopening", name, retry)
		}
	}
}

func TestErrorWithoutOccurrencesHappenedOnce(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Message: "m", CreatedAt: timestampAt(5)}}
	got := Repeat(je, reportAt(t, 10, resolvev1.Record{Message: "m"}), start.Add(10*time.Second))
	if got.Status.Occurrences != 2 || got.New != 1 || !got.Status.FirstSeen.Time.Equal(start.Add(5*time.Second)) {
		t.Errorf("Repeat = %+v, want 2 occurrences, 1 of them new, first seen in second 5", got)
	}
}

// The error may have been resolved because of a failure in the same second.
func TestCapturedFailureReopensOnlyErrorsResolvedBefore(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Resolved: true}}
	for n, want := range []bool{false, false, true} {
		if got := failureAt(n).Reopens(je, failureAt(1).At); got != want {
			t.Errorf("failure in second %d: Reopens = %t, want %t", n, got, want)
		}
	}
}
