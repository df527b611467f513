// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

func record(name string, uid types.UID, retryID, createdAt string) resolvev1.ArchivedRecord {
	return resolvev1.ArchivedRecord{
		Record:   resolvev1.Record{ID: name, RetryID: retryID, CreatedAt: createdAt},
		Archived: resolvev1.ArchivedState{UID: uid},
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	var records Records
	records.Add([]resolvev1.ArchivedRecord{
		record("a", "uid-a", "1", "2026-01-01T00:00:00Z"),
		record("b", "", "1", "2026-01-03T00:00:00Z"),
		record("a", "uid-a", "1", "2026-01-01T00:00:00Z"),
	})
	records.Add([]resolvev1.ArchivedRecord{
		record("b", "", "1", "2026-01-03T00:00:00Z"),
		record("a", "uid-a", "2", "2026-01-01T00:00:00Z"),
		record("a", "uid-a2", "1", "2026-01-02T01:00:00+02:00"),
		record("c", "", "1", "yesterday"),
	})
	var got []string
	for _, r := range records.NewestFirst() {
		got = append(got, r.ID+" "+string(r.Archived.UID)+" "+r.RetryID)
	}
	want := []string{"b  1", "a uid-a2 1", "a uid-a 2", "a uid-a 1", "c  1"}
	if !slices.Equal(got, want) || records.Len() != len(want) {
		t.Errorf("%d records %q, want %q", records.Len(), got, want)
	}
}

func TestRecordsKeepsTheLatest(t *testing.T) {
	t.Parallel()
	version := func(resolvedBy string, at *metav1.Time) resolvev1.ArchivedRecord {
		r := record("a", "uid-a", "1", "2026-01-01T00:00:00Z")
		r.Archived.ResolvedBy, r.Archived.At = resolvedBy, at
		return r
	}
	early, late := &metav1.Time{Time: time.Unix(1, 0)}, &metav1.Time{Time: time.Unix(2, 0)}
	for name, tc := range map[string]struct {
		versions []resolvev1.ArchivedRecord
		want     string
	}{
		"the later one last":     {[]resolvev1.ArchivedRecord{version("jane", early), version("ada", late)}, "ada"},
		"the later one first":    {[]resolvev1.ArchivedRecord{version("ada", late), version("jane", early)}, "ada"},
		"the first has no time":  {[]resolvev1.ArchivedRecord{version("jane", nil), version("ada", early)}, "ada"},
		"the second has no time": {[]resolvev1.ArchivedRecord{version("ada", early), version("jane", nil)}, "ada"},
		"neither has a time":     {[]resolvev1.ArchivedRecord{version("ada", nil), version("jane", nil)}, "ada"},
	} {
		var together, apart Records
		together.Add(tc.versions)
		apart.Add(tc.versions[:1])
		apart.Add(tc.versions[1:])
		for _, records := range []Records{together, apart} {
			if got := records.NewestFirst(); len(got) != 1 || got[0].Archived.ResolvedBy != tc.want {
				t.Errorf("%s: %+v, want the record that %s resolved", name, got, tc.want)
			}
		}
	}
}

func TestCountAfter(t *testing.T) {
	t.Parallel()
	var found Records
	for i, createdAt := range []string{"2026-01-01T23:59:59Z", "2026-01-02T00:00:00Z", "2026-01-03T00:30:00+02:00", "2026-01-03T00:00:00Z"} {
		uid := string(rune('a' + i))
		found.Add([]resolvev1.ArchivedRecord{record(uid, "uid-"+types.UID(uid), "1", createdAt)})
	}
	for day, want := range map[string]int{"2025-12-31": 4, "2026-01-01": 3, "2026-01-02": 1, "2026-01-03": 0} {
		if got := found.CountAfter(day); got != want {
			t.Errorf("CountAfter(%s) = %d, want %d", day, got, want)
		}
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	until := time.Date(2026, 1, 11, 0, 0, 0, 0, time.UTC)
	since := until.AddDate(0, 0, -10)
	for _, tc := range []struct {
		since   time.Time
		through string
		want    float64
	}{
		{since, "2026-01-06", 0.5},
		{since, "2026-01-11", 0},
		{since, "2026-01-12", 0},
		{since, "2025-12-31", 1},
		{since, "", 0},
		{time.Time{}, "2026-01-06", 0},
	} {
		if got := Share(tc.since, until, tc.through); got != tc.want {
			t.Errorf("Share(%s, %q) = %v, want %v", tc.since, tc.through, got, tc.want)
		}
	}
}
