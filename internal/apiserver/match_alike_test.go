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

// alike are so many errors of one content, of which these are resolved.
func alike(count int, isResolved ...int) []joberrorv1.JobError {
	errors := make([]joberrorv1.JobError, count)
	for i := range errors {
		errors[i] = stored(fmt.Sprintf("e%d", i), "late")
		errors[i].Spec.Resolved = slices.Contains(isResolved, i)
	}
	return errors
}

func copies(count int, record resolvev1.Record) []resolvev1.Record {
	return slices.Repeat([]resolvev1.Record{record}, count)
}

func TestOfErrorsThatAreAlikeAsManyAreTakenAsThereAreRecords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name           string
		errors         []joberrorv1.JobError
		records        []resolvev1.Record
		reopen         bool
		names, missing []string
		changed        int
	}{
		{name: "one record of three errors", errors: alike(3), records: copies(1, sent("late")), names: []string{"e0"}, changed: 1},
		{name: "two records of three errors", errors: alike(3), records: copies(2, sent("late")), names: []string{"e0", "e1"}, changed: 2},
		{name: "three records of three errors", errors: alike(3), records: copies(3, sent("late")), names: []string{"e0", "e1", "e2"}, changed: 3},
		{name: "a record more than there are errors is reported", errors: alike(2), records: copies(3, sent("late")),
			names: []string{"e0", "e1"}, missing: []string{"[2]"}, changed: 2},
		{name: "those that are resolved already are taken first", errors: alike(3, 2), records: copies(1, sent("late")), names: []string{"e2"}},
		{name: "those that are resolved already count", errors: alike(3, 1), records: copies(2, sent("late")), names: []string{"e0", "e1"}, changed: 1},
		{name: "all resolved already leaves nothing to change", errors: alike(3, 0, 1, 2), records: copies(2, sent("late")), names: []string{"e0", "e1"}},
		{name: "reopening takes those that are open already first", reopen: true, errors: alike(3, 0, 2), records: copies(2, sent("late", open)),
			names: []string{"e0", "e1"}, changed: 1},
		{name: "an error that an _id takes is not taken again", errors: alike(2),
			records: []resolvev1.Record{sent("late"), sent("late", id("e0"))}, names: []string{"e0", "e1"}, changed: 2},
		{name: "an error that an _id takes leaves none for the other record", errors: alike(1),
			records: []resolvev1.Record{sent("late"), sent("late", id("e0"))}, names: []string{"e0"}, missing: []string{"[0]"}, changed: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			wants := !tc.reopen
			names, missing := match(tc.records, tc.errors, wants)
			if !slices.Equal(slices.Sorted(slices.Values(names)), tc.names) {
				t.Errorf("names = %v, want %v", names, tc.names)
			}
			checkMissing(t, missing, tc.missing)
			if got := set(tc.errors, names, wants); got != tc.changed {
				t.Errorf("%d errors changed, want %d", got, tc.changed)
			}
			again, missing := match(tc.records, tc.errors, wants)
			if got := set(tc.errors, again, wants); got != 0 {
				t.Errorf("the repeated request changed %d more errors, among %v", got, again)
			}
			checkMissing(t, missing, tc.missing)
		})
	}
}

// set does what a request does, and returns how many errors it changed.
func set(errors []joberrorv1.JobError, names []string, wants bool) int {
	changed := 0
	for i := range errors {
		if slices.Contains(names, errors[i].Name) && errors[i].Spec.Resolved != wants {
			errors[i].Spec.Resolved = wants
			changed++
		}
	}
	return changed
}

func TestARecordWithoutUserLeavesTheErrorThatAnotherNames(t *testing.T) {
	t.Parallel()
	errors := []joberrorv1.JobError{stored("e1", "late"), stored("e2", "late", by("bob"))}
	names, missing := match([]resolvev1.Record{sent("late"), sent("late", from("alice", ""))}, errors, true)
	if len(names) != 2 || len(missing) != 0 {
		t.Errorf("names = %v, missing %v, want both errors", names, missing)
	}
}
