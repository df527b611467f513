// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/resolution"
)

func TestSettled(t *testing.T) {
	t.Parallel()
	ours := marked(attribution.Mark{By: "alice", Generation: 2, Resolution: attribution.Resolution{Name: "resolve-x1", UID: "1"}})
	anothers := marked(attribution.Mark{By: "bob", Generation: 2, Resolution: attribution.Resolution{Name: "resolve-x2", UID: "1"}})
	namesakes := marked(attribution.Mark{By: "alice", Generation: 2, Resolution: attribution.Resolution{Name: "resolve-x1", UID: "earlier"}})
	bobs := func(generation int64) func(*joberrorv1.JobError) {
		return marked(attribution.Mark{By: "bob", Generation: generation})
	}
	withUID := func(uid types.UID) func(*joberrorv1.JobError) { return func(je *joberrorv1.JobError) { je.UID = uid } }
	const updated, unchanged = resolution.Updated, resolution.Unchanged

	for _, tc := range []struct {
		name string
		// found is the error as the request met it; nil where it was as it is.
		found, je *joberrorv1.JobError
		reopen    bool
		settled   bool
		result    resolution.Result
	}{
		{name: "a named error that is not as asked is to be written", je: jobError(1)},
		{name: "a named error that this entry has set is done, and counts as its own", je: jobError(2, resolved, ours), settled: true, result: updated},
		{name: "a named error that another entry has set is left", je: jobError(2, resolved, anothers), settled: true, result: unchanged},
		{name: "a named error that an earlier entry of the same name has set is left", je: jobError(2, resolved, namesakes), settled: true, result: unchanged},
		{name: "a named error that a user has set is left", je: jobError(2, resolved, bobs(2)), settled: true, result: unchanged},
		{name: "a named error that was set unmarked is left", je: jobError(2, resolved), settled: true, result: unchanged},

		{name: "a found error that is as it was is to be written", found: jobError(1), je: jobError(1)},
		{name: "a found error that was corrected meanwhile is to be written", found: jobError(1), je: jobError(2)},
		{name: "a found error that was reopened before the request is to be written", found: jobError(3, bobs(3)), je: jobError(3, bobs(3))},
		{name: "one that was reopened before and corrected since is to be written", found: jobError(3, bobs(3)), je: jobError(4, bobs(3))},
		{name: "a found error that this entry has set is done, and counts as its own", found: jobError(1), je: jobError(2, resolved, ours),
			settled: true, result: updated},
		{name: "a found error that a user has set meanwhile is left", found: jobError(1), je: jobError(2, resolved, bobs(2)),
			settled: true, result: unchanged},
		{name: "a found error that a user has set and reopened meanwhile is left", found: jobError(1), je: jobError(3, bobs(3)),
			settled: true, result: unchanged},
		{name: "a found error that a user reopened after this entry is not set again", found: jobError(1, bobs(1)), je: jobError(3, bobs(3)),
			settled: true, result: unchanged},
		{name: "a new error of the same name is another error", found: jobError(1), je: jobError(1, withUID("5f-later")),
			settled: true, result: unchanged},

		{name: "reopening writes an error that is resolved", reopen: true, je: jobError(2, resolved, ours)},
		{name: "reopening leaves an error that is open", reopen: true, je: jobError(3, bobs(3)), settled: true, result: unchanged},
		{name: "reopening counts what it has set itself", reopen: true, found: jobError(1, resolved), je: jobError(2, ours),
			settled: true, result: updated},
		{name: "reopening leaves what a user has resolved again meanwhile", reopen: true, found: jobError(2, resolved, bobs(2)),
			je: jobError(4, resolved, bobs(4)), settled: true, result: unchanged},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			entry := &joberrorv1.JobErrorResolution{
				ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "resolve-x1", UID: "1"},
				Spec:       joberrorv1.JobErrorResolutionSpec{JobID: "backup", Resolved: ptr.To(!tc.reopen)},
			}
			found := tc.found
			if found == nil {
				// It was so already when the request was made.
				found = tc.je
			}
			done, outcome := settled(entry, target{name: "e1", found: found}, tc.je)
			if done != tc.settled {
				t.Fatalf("settled = %t, want %t", done, tc.settled)
			}
			if done && outcome != (resolution.Outcome{Name: "e1", Result: tc.result}) {
				t.Errorf("outcome = %+v, want e1 with result %d", outcome, tc.result)
			}
		})
	}
}

func TestAnEntryThatDoesNotSayResolves(t *testing.T) {
	t.Parallel()
	entry := &joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Name: "resolve-x1", UID: "1"}}
	if done, _ := settled(entry, target{name: "e1", found: jobError(1)}, jobError(1)); done {
		t.Error("an open error must be written")
	}
	if done, _ := settled(entry, target{name: "e1", found: jobError(1)}, jobError(1, resolved)); !done {
		t.Error("a resolved error must be left")
	}
}
