// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"slices"
	"testing"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// duplicates returns count errors with the same content. Those with the given indexes are
// resolved.
func duplicates(count int, resolvedIndexes ...int) []joberrorv1.JobError {
	jes := make([]joberrorv1.JobError, count)
	for i := range jes {
		jes[i] = newError(fmt.Sprintf("e%d", i), "late")
		jes[i].Spec.Resolved = slices.Contains(resolvedIndexes, i)
	}
	return jes
}

func copies(count int, record resolvev1.Record) []resolvev1.Record {
	return slices.Repeat([]resolvev1.Record{record}, count)
}

func TestEachRecordMatchesOneOfTheDuplicates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name           string
		errors         []joberrorv1.JobError
		records        []resolvev1.Record
		reopen         bool
		names, missing []string
		changed        int
	}{
		{name: "one record, three errors", errors: duplicates(3), records: copies(1, newRecord("late")), names: []string{"e0"}, changed: 1},
		{name: "two records, three errors", errors: duplicates(3), records: copies(2, newRecord("late")), names: []string{"e0", "e1"}, changed: 2},
		{name: "three records, three errors", errors: duplicates(3), records: copies(3, newRecord("late")), names: []string{"e0", "e1", "e2"}, changed: 3},
		{name: "a record without an error left is a failure", errors: duplicates(2), records: copies(3, newRecord("late")),
			names: []string{"e0", "e1"}, missing: []string{"[2]"}, changed: 2},
		{name: "a resolved error is matched first", errors: duplicates(3, 2), records: copies(1, newRecord("late")), names: []string{"e2"}},
		{name: "a resolved error uses up a record", errors: duplicates(3, 1), records: copies(2, newRecord("late")), names: []string{"e0", "e1"}, changed: 1},
		{name: "resolved errors are not changed", errors: duplicates(3, 0, 1, 2), records: copies(2, newRecord("late")), names: []string{"e0", "e1"}},
		{name: "reopening matches an open error first", reopen: true, errors: duplicates(3, 0, 2), records: copies(2, newRecord("late", setOpen)),
			names: []string{"e0", "e1"}, changed: 1},
		{name: "an error matched by _id is not matched again", errors: duplicates(2),
			records: []resolvev1.Record{newRecord("late"), newRecord("late", withID("e0"))}, names: []string{"e0", "e1"}, changed: 2},
		{name: "an error matched by _id is not left for another record", errors: duplicates(1),
			records: []resolvev1.Record{newRecord("late"), newRecord("late", withID("e0"))}, names: []string{"e0"}, missing: []string{"[0]"}, changed: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			resolved := !tc.reopen
			names, missing := match(t, tc.records, tc.errors, resolved)
			if !slices.Equal(slices.Sorted(slices.Values(names)), tc.names) {
				t.Errorf("names = %v, want %v", names, tc.names)
			}
			checkMissing(t, missing, tc.missing)
			if got := setAll(tc.errors, names, resolved); got != tc.changed {
				t.Errorf("changed errors = %d, want %d", got, tc.changed)
			}
			again, missing := match(t, tc.records, tc.errors, resolved)
			if got := setAll(tc.errors, again, resolved); got != 0 {
				t.Errorf("errors changed by the repeated request = %d of %v, want 0", got, again)
			}
			checkMissing(t, missing, tc.missing)
		})
	}
}

// setAll sets spec.resolved of the named errors, as a request does. It returns how many of them
// it changed.
func setAll(jes []joberrorv1.JobError, names []string, resolved bool) int {
	changed := 0
	for i := range jes {
		if slices.Contains(names, jes[i].Name) && jes[i].Spec.Resolved != resolved {
			jes[i].Spec.Resolved = resolved
			changed++
		}
	}
	return changed
}

func TestRecordsWithAUserAreMatchedFirst(t *testing.T) {
	t.Parallel()
	candidates := []joberrorv1.JobError{newError("e1", "late"), newError("e2", "late", withUser("bob"))}
	names, missing := match(t, []resolvev1.Record{newRecord("late"), newRecord("late", withUserAndJob("alice", ""))}, candidates, true)
	if len(names) != 2 || len(missing) != 0 {
		t.Errorf("match = %v, %v, want both errors and none missing", names, missing)
	}
}
