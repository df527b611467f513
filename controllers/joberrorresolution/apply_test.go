// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"cmp"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/resolution"
)

// jobError returns an error of the Job backup.
func jobError(generation int64, with ...func(*joberrorv1.JobError)) *joberrorv1.JobError {
	je := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "e1", UID: "4e-error", Generation: generation},
		Spec:       joberrorv1.JobErrorSpec{JobID: "backup"},
	}
	for _, f := range with {
		f(je)
	}
	return je
}

func resolved(je *joberrorv1.JobError) { je.Spec.Resolved = true }

func TestIsDone(t *testing.T) {
	t.Parallel()
	marked := func(mark attribution.Mark) func(*joberrorv1.JobError) {
		return func(je *joberrorv1.JobError) { mark.Put(je) }
	}
	byThis := marked(attribution.Mark{By: "alice", Generation: 2, Resolution: attribution.Resolution{Name: "resolve-x1", UID: "1"}})
	byAnother := marked(attribution.Mark{By: "bob", Generation: 2, Resolution: attribution.Resolution{Name: "resolve-x2", UID: "1"}})
	byNamesake := marked(attribution.Mark{By: "alice", Generation: 2, Resolution: attribution.Resolution{Name: "resolve-x1", UID: "earlier"}})
	byBob := func(generation int64) func(*joberrorv1.JobError) {
		return marked(attribution.Mark{By: "bob", Generation: generation})
	}
	withUID := func(uid types.UID) func(*joberrorv1.JobError) { return func(je *joberrorv1.JobError) { je.UID = uid } }
	const updated, unchanged = resolution.Updated, resolution.Unchanged

	for _, tc := range []struct {
		name string
		// snapshot is the error when the request was made; nil if it has not changed.
		snapshot, je *joberrorv1.JobError
		reopen       bool
		done         bool
		result       resolution.Result
	}{
		{name: "an open error is written", je: jobError(1)},
		{name: "an error that this resolution set counts as updated", je: jobError(2, resolved, byThis), done: true, result: updated},
		{name: "an error that another resolution set is left", je: jobError(2, resolved, byAnother), done: true, result: unchanged},
		{name: "an error that an earlier resolution with this name set is left", je: jobError(2, resolved, byNamesake), done: true, result: unchanged},
		{name: "an error that a user set is left", je: jobError(2, resolved, byBob(2)), done: true, result: unchanged},
		{name: "an error that was set without a mark is left", je: jobError(2, resolved), done: true, result: unchanged},

		{name: "an unchanged error is written", snapshot: jobError(1), je: jobError(1)},
		{name: "an error whose content changed is written", snapshot: jobError(1), je: jobError(2)},
		{name: "an error that was reopened before the request is written", snapshot: jobError(3, byBob(3)), je: jobError(3, byBob(3))},
		{name: "an error that was reopened before and changed after is written", snapshot: jobError(3, byBob(3)), je: jobError(4, byBob(3))},
		{name: "a changed error that this resolution set counts as updated", snapshot: jobError(1), je: jobError(2, resolved, byThis),
			done: true, result: updated},
		{name: "an error that a user set after the request is left", snapshot: jobError(1), je: jobError(2, resolved, byBob(2)),
			done: true, result: unchanged},
		{name: "an error that a user set and reopened after the request is left", snapshot: jobError(1), je: jobError(3, byBob(3)),
			done: true, result: unchanged},
		{name: "an error that a user reopened after this resolution is left", snapshot: jobError(1, byBob(1)), je: jobError(3, byBob(3)),
			done: true, result: unchanged},
		{name: "a new error with the same name is left", snapshot: jobError(1), je: jobError(1, withUID("5f-later")),
			done: true, result: unchanged},

		{name: "reopening writes a resolved error", reopen: true, je: jobError(2, resolved, byThis)},
		{name: "reopening leaves an open error", reopen: true, je: jobError(3, byBob(3)), done: true, result: unchanged},
		{name: "an error that this resolution reopened counts as updated", reopen: true, snapshot: jobError(1, resolved), je: jobError(2, byThis),
			done: true, result: updated},
		{name: "reopening leaves an error that a user resolved after the request", reopen: true, snapshot: jobError(2, resolved, byBob(2)),
			je: jobError(4, resolved, byBob(4)), done: true, result: unchanged},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			jer := &joberrorv1.JobErrorResolution{
				ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "resolve-x1", UID: "1"},
				Spec:       joberrorv1.JobErrorResolutionSpec{JobID: "backup", Resolved: ptr.To(!tc.reopen)},
			}
			snapshot := cmp.Or(tc.snapshot, tc.je)
			done, outcome := isDone(requestOf(jer, jobref.Ref{}), target{name: "e1", snapshot: snapshot}, tc.je)
			if done != tc.done {
				t.Fatalf("isDone = %t, want %t", done, tc.done)
			}
			if done && outcome != (resolution.Outcome{Name: "e1", Result: tc.result}) {
				t.Errorf("outcome = %+v, want e1 with result %d", outcome, tc.result)
			}
		})
	}
}

func TestResolvesByDefault(t *testing.T) {
	t.Parallel()
	jer := &joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{Name: "resolve-x1", UID: "1"}}
	if done, _ := isDone(requestOf(jer, jobref.Ref{}), target{name: "e1", snapshot: jobError(1)}, jobError(1)); done {
		t.Error("an open error is not written")
	}
	if done, _ := isDone(requestOf(jer, jobref.Ref{}), target{name: "e1", snapshot: jobError(1)}, jobError(1, resolved)); !done {
		t.Error("a resolved error is written again")
	}
}
