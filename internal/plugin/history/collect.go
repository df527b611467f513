// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package history collects the archived errors of a Job from pages.
package history

import (
	"cmp"
	"slices"
	"strings"
	"time"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// Records collects archived records without duplicates. The archive may have a record twice,
// because it keeps each at least once.
type Records struct {
	all []resolvev1.ArchivedRecord
	// seen holds the index of each record in all.
	seen map[key]int
}

// key is equal for records of the same state of the same error.
type key struct{ id, retryID string }

func keyOf(r *resolvev1.ArchivedRecord) key {
	return key{cmp.Or(string(r.Archived.UID), r.ID), r.RetryID}
}

// Add adds the records of a page. Of a record that comes twice, it keeps the one that was archived
// later: the status may have changed between the two.
func (r *Records) Add(page []resolvev1.ArchivedRecord) {
	if r.seen == nil {
		r.seen = map[key]int{}
	}
	for i := range page {
		k := keyOf(&page[i])
		at, again := r.seen[k]
		switch {
		case !again:
			r.seen[k] = len(r.all)
			r.all = append(r.all, page[i])
		case archivedAt(&page[i]).After(archivedAt(&r.all[at])):
			r.all[at] = page[i]
		}
	}
}

// Len returns the number of records.
func (r *Records) Len() int { return len(r.all) }

// NewestFirst returns the records by the time at which they happened, the last one first. It
// never returns nil.
func (r *Records) NewestFirst() []resolvev1.ArchivedRecord {
	sorted := append([]resolvev1.ArchivedRecord{}, r.all...)
	slices.SortStableFunc(sorted, func(a, b resolvev1.ArchivedRecord) int {
		return cmp.Or(CreatedAt(&b).Compare(CreatedAt(&a)), strings.Compare(b.RetryID, a.RetryID))
	})
	return sorted
}

// CountAfter returns how many errors happened after a day in UTC, such as 2026-01-31.
func (r *Records) CountAfter(day string) int {
	n := 0
	for i := range r.all {
		if CreatedAt(&r.all[i]).UTC().Format(time.DateOnly) > day {
			n++
		}
	}
	return n
}

// CreatedAt returns when an error happened, or when it was archived if that is unknown.
func CreatedAt(r *resolvev1.ArchivedRecord) time.Time {
	if at, err := time.Parse(time.RFC3339, r.CreatedAt); err == nil {
		return at
	}
	return archivedAt(r)
}

// archivedAt returns when an error was archived, or zero if that is unknown.
func archivedAt(r *resolvev1.ArchivedRecord) time.Time {
	if r.Archived.At == nil {
		return time.Time{}
	}
	return r.Archived.At.Time
}

// Share returns how much of a range of time is covered, from 0 to 1, if everything since a day is.
// It returns 0 if that can't be known.
func Share(since, until time.Time, through string) float64 {
	day, err := time.Parse(time.DateOnly, through)
	if err != nil || since.IsZero() || !since.Before(until) || day.After(until) {
		return 0
	}
	return min(1, float64(until.Sub(day))/float64(until.Sub(since)))
}
