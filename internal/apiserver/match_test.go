// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"slices"
	"testing"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
)

// newError returns an error of the Job backup that alice reported. Apart from the message, all
// such errors have the same content.
func newError(name, message string, edits ...func(*joberrorv1.JobError)) joberrorv1.JobError {
	je := joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{
		UserID: "alice", JobID: "backup", CreatedAt: "2026-11-05T10:15:00.120Z", Code: "429", Source: "crm", Message: message,
	}}
	je.Name = name
	for _, edit := range edits {
		edit(&je)
	}
	return je
}

func setResolved(je *joberrorv1.JobError) { je.Spec.Resolved = true }

func withUser(user string) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { je.Spec.UserID = user }
}

// newRecord returns the record of such an error as the source's clients send it back: resolved,
// and without the fields whose names begin with an underscore.
func newRecord(message string, edits ...func(*resolvev1.Record)) resolvev1.Record {
	r := resolvev1.Record{CreatedAt: "2026-11-05T10:15:00.120Z", Code: "429", Source: "crm", Message: message, Resolved: true}
	for _, edit := range edits {
		edit(&r)
	}
	return r
}

func setOpen(r *resolvev1.Record) { r.Resolved = false }

func withID(name string) func(*resolvev1.Record) { return func(r *resolvev1.Record) { r.ID = name } }

func withCreatedAt(at string) func(*resolvev1.Record) {
	return func(r *resolvev1.Record) { r.CreatedAt = at }
}

func withUserAndJob(user, job string) func(*resolvev1.Record) {
	return func(r *resolvev1.Record) { r.UserID, r.JobID = user, job }
}

// match returns what a matcher returns for these records and errors.
func match(t *testing.T, records []resolvev1.Record, errors []joberrorv1.JobError, resolved bool) ([]string, []resolution.Outcome) {
	t.Helper()
	index := newRecordIndex(resolved)
	for i := range records {
		if !index.add(i, &records[i]) {
			t.Fatalf("the index is full after %d records", i)
		}
	}
	m := newMatcher(index)
	for i := range errors {
		m.add(&errors[i])
	}
	return m.match()
}

func TestMatch(t *testing.T) {
	t.Parallel()
	two := []joberrorv1.JobError{newError("e1", "late"), newError("e2", "lost")}
	for _, tc := range []struct {
		name    string
		errors  []joberrorv1.JobError
		records []resolvev1.Record
		reopen  bool
		// names are the expected matches, in any order. missing are the names of the expected
		// failures, one for each record that matches no error.
		names, missing []string
	}{
		{name: "no records match no errors", errors: two, records: []resolvev1.Record{}},
		{name: "an _id matches the error with this name", errors: two, records: []resolvev1.Record{newRecord("late", withID("e1"))}, names: []string{"e1"}},
		{name: "an _id matches even if the content differs", errors: two, records: []resolvev1.Record{newRecord("changed", withID("e2"))}, names: []string{"e2"}},
		{name: "an unknown _id is returned as a name", errors: two, records: []resolvev1.Record{newRecord("late", withID("e9"))}, names: []string{"e9"}},
		{name: "a duplicate _id matches one error", errors: two, records: []resolvev1.Record{newRecord("late", withID("e1")), newRecord("late", withID("e1"))}, names: []string{"e1"}},
		{name: "a record without an _id matches by content", errors: two, records: []resolvev1.Record{newRecord("lost")}, names: []string{"e2"}},
		{name: "records with and without an _id can be mixed", errors: two, records: []resolvev1.Record{newRecord("lost"), newRecord("late", withID("e1"))}, names: []string{"e1", "e2"}},
		{name: "an open record is ignored", errors: two, records: []resolvev1.Record{newRecord("late", setOpen), newRecord("lost")}, names: []string{"e2"}},
		{name: "an open record with an _id is ignored", errors: two, records: []resolvev1.Record{newRecord("late", withID("e1"), setOpen)}},
		{name: "an open record with unknown content is ignored", errors: two, records: []resolvev1.Record{newRecord("never seen", setOpen)}},
		{name: "unknown content is a failure with the index of the record", errors: two,
			records: []resolvev1.Record{newRecord("late"), newRecord("never seen")}, names: []string{"e1"}, missing: []string{"[1]"}},
		{name: "the index counts ignored records", errors: two,
			records: []resolvev1.Record{newRecord("late", setOpen), newRecord("late", withID("e1")), newRecord("never seen")}, names: []string{"e1"}, missing: []string{"[2]"}},
		{name: "one different field makes the content different", errors: two,
			records: []resolvev1.Record{newRecord("late", func(r *resolvev1.Record) { r.Extract = "id" })}, missing: []string{"[0]"}},

		{name: "reopening uses the open records", reopen: true, errors: []joberrorv1.JobError{newError("e1", "late", setResolved), newError("e2", "lost", setResolved)},
			records: []resolvev1.Record{newRecord("late", setOpen), newRecord("lost")}, names: []string{"e1"}},
		{name: "reopening uses the _id of an open record", reopen: true, errors: two, records: []resolvev1.Record{newRecord("late", withID("e1"), setOpen)}, names: []string{"e1"}},

		{name: "the same time with another offset is the same content", errors: two,
			records: []resolvev1.Record{newRecord("late", withCreatedAt("2026-11-05T15:45:00.12+05:30"))}, names: []string{"e1"}},
		{name: "a time one millisecond later is other content", errors: two,
			records: []resolvev1.Record{newRecord("late", withCreatedAt("2026-11-05T10:15:00.121Z"))}, missing: []string{"[0]"}},
		{name: "a record without a time is other content", errors: two, records: []resolvev1.Record{newRecord("late", withCreatedAt(""))}, missing: []string{"[0]"}},

		{name: "_userId and _jobId match the error's", errors: two,
			records: []resolvev1.Record{newRecord("late", withUserAndJob("alice", "backup"))}, names: []string{"e1"}},
		{name: "another _userId does not match", errors: two, records: []resolvev1.Record{newRecord("late", withUserAndJob("bob", ""))}, missing: []string{"[0]"}},
		{name: "another _jobId does not match", errors: two, records: []resolvev1.Record{newRecord("late", withUserAndJob("", "restore"))}, missing: []string{"[0]"}},
		{name: "_userId selects among errors with the same content", errors: []joberrorv1.JobError{newError("e1", "late"), newError("e2", "late", withUser("bob"))},
			records: []resolvev1.Record{newRecord("late", withUserAndJob("bob", ""))}, names: []string{"e2"}},
		{name: "errors without a _userId match each once", errors: []joberrorv1.JobError{newError("e1", "late", withUser("")), newError("e2", "late", withUser(""))},
			records: []resolvev1.Record{newRecord("late"), newRecord("late")}, names: []string{"e1", "e2"}},
		{name: "_retryId is ignored", errors: two,
			records: []resolvev1.Record{newRecord("late", func(r *resolvev1.Record) { r.RetryID = "2026-11-05T10:15:00.000001Z" })}, names: []string{"e1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			names, missing := match(t, tc.records, tc.errors, !tc.reopen)
			if !slices.Equal(slices.Sorted(slices.Values(names)), tc.names) {
				t.Errorf("names = %v, want %v", names, tc.names)
			}
			checkMissing(t, missing, tc.missing)
		})
	}
}

func checkMissing(t *testing.T, missing []resolution.Outcome, want []string) {
	t.Helper()
	var names []string
	for _, o := range missing {
		names = append(names, o.Name)
		if o.Result != resolution.Failed || o.Reason != joberrorv1.FailureNotFound || o.Message == "" {
			t.Errorf("outcome = %+v, want Failed with the reason NotFound and a message", o)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("missing = %v, want %v", names, want)
	}
}

// A body with one record must not keep the names of all errors that are like it.
func TestMatcherKeepsFewCandidates(t *testing.T) {
	t.Parallel()
	index := newRecordIndex(true)
	bob := newRecord("late", withUserAndJob("bob", ""))
	anyone := newRecord("late")
	index.add(0, &bob)
	index.add(1, &anyone)
	m := newMatcher(index)
	for i := range 1000 {
		je := newError(fmt.Sprintf("e%d", i), "late", withUser([]string{"alice", "bob"}[i%2]))
		m.add(&je)
	}
	group := m.groups[digestOf(&anyone)]
	if len(group.others.errors) > 4 || len(group.asWanted.errors) > 0 {
		t.Errorf("candidates = %d, want at most 4", len(group.others.errors))
	}
	if names, missing := m.match(); !slices.Equal(names, []string{"e1", "e0"}) || len(missing) > 0 {
		t.Errorf("match = %v, %v, want e1 for bob and e0", names, missing)
	}
}
