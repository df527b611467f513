// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"slices"
	"testing"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
)

// stored is an error of the Job backup that alice reported. What is alike in
// all is its content but for the message.
func stored(name, message string, with ...func(*joberrorv1.JobError)) joberrorv1.JobError {
	je := joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{
		UserID: "alice", JobID: "backup", CreatedAt: "2026-11-05T10:15:00.120Z", Code: "429", Source: "crm", Message: message,
	}}
	je.Name = name
	for _, f := range with {
		f(&je)
	}
	return je
}

func resolved(je *joberrorv1.JobError) { je.Spec.Resolved = true }

func by(user string) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { je.Spec.UserID = user }
}

// sent is the record of such an error as the source's clients send it back:
// resolved, and without the fields whose names begin with an underscore.
func sent(message string, with ...func(*resolvev1.Record)) resolvev1.Record {
	r := resolvev1.Record{CreatedAt: "2026-11-05T10:15:00.120Z", Code: "429", Source: "crm", Message: message, Resolved: true}
	for _, f := range with {
		f(&r)
	}
	return r
}

func open(r *resolvev1.Record) { r.Resolved = false }

func id(name string) func(*resolvev1.Record) { return func(r *resolvev1.Record) { r.ID = name } }

func createdAt(at string) func(*resolvev1.Record) {
	return func(r *resolvev1.Record) { r.CreatedAt = at }
}

func from(user, job string) func(*resolvev1.Record) {
	return func(r *resolvev1.Record) { r.UserID, r.JobID = user, job }
}

func TestMatch(t *testing.T) {
	t.Parallel()
	two := []joberrorv1.JobError{stored("e1", "late"), stored("e2", "lost")}
	for _, tc := range []struct {
		name    string
		errors  []joberrorv1.JobError
		records []resolvev1.Record
		reopen  bool
		// names are those that are meant, in any order; missing are the
		// records that mean none, as the failures name them.
		names, missing []string
	}{
		{name: "no records mean no errors", errors: two, records: []resolvev1.Record{}},
		{name: "a record with an _id means the error of that name", errors: two, records: []resolvev1.Record{sent("late", id("e1"))}, names: []string{"e1"}},
		{name: "its _id counts, whatever its content", errors: two, records: []resolvev1.Record{sent("changed", id("e2"))}, names: []string{"e2"}},
		{name: "an _id that the job does not have is passed on, to be told of", errors: two, records: []resolvev1.Record{sent("late", id("e9"))}, names: []string{"e9"}},
		{name: "the same _id twice is one error", errors: two, records: []resolvev1.Record{sent("late", id("e1")), sent("late", id("e1"))}, names: []string{"e1"}},
		{name: "a record without _id means the error with its content", errors: two, records: []resolvev1.Record{sent("lost")}, names: []string{"e2"}},
		{name: "records with and without _id go together", errors: two, records: []resolvev1.Record{sent("lost"), sent("late", id("e1"))}, names: []string{"e1", "e2"}},
		{name: "a record that is still open is left alone", errors: two, records: []resolvev1.Record{sent("late", open), sent("lost")}, names: []string{"e2"}},
		{name: "so is one with an _id", errors: two, records: []resolvev1.Record{sent("late", id("e1"), open)}},
		{name: "an open record of unknown content is left alone too", errors: two, records: []resolvev1.Record{sent("never seen", open)}},
		{name: "a content that the job does not have is reported with its index", errors: two,
			records: []resolvev1.Record{sent("late"), sent("never seen")}, names: []string{"e1"}, missing: []string{"[1]"}},
		{name: "the index counts the records that are left alone", errors: two,
			records: []resolvev1.Record{sent("late", open), sent("late", id("e1")), sent("never seen")}, names: []string{"e1"}, missing: []string{"[2]"}},
		{name: "where one field differs, it is another content", errors: two,
			records: []resolvev1.Record{sent("late", func(r *resolvev1.Record) { r.Extract = "id" })}, missing: []string{"[0]"}},

		{name: "reopening takes the open records", reopen: true, errors: []joberrorv1.JobError{stored("e1", "late", resolved), stored("e2", "lost", resolved)},
			records: []resolvev1.Record{sent("late", open), sent("lost")}, names: []string{"e1"}},
		{name: "reopening takes an open record's _id", reopen: true, errors: two, records: []resolvev1.Record{sent("late", id("e1"), open)}, names: []string{"e1"}},

		{name: "the same moment in another offset is the same content", errors: two,
			records: []resolvev1.Record{sent("late", createdAt("2026-11-05T15:45:00.12+05:30"))}, names: []string{"e1"}},
		{name: "a millisecond later is another content", errors: two,
			records: []resolvev1.Record{sent("late", createdAt("2026-11-05T10:15:00.121Z"))}, missing: []string{"[0]"}},
		{name: "a record without a time is another content", errors: two, records: []resolvev1.Record{sent("late", createdAt(""))}, missing: []string{"[0]"}},

		{name: "a _userId and _jobId that are there must be the error's", errors: two,
			records: []resolvev1.Record{sent("late", from("alice", "backup"))}, names: []string{"e1"}},
		{name: "another _userId is another error", errors: two, records: []resolvev1.Record{sent("late", from("bob", ""))}, missing: []string{"[0]"}},
		{name: "another _jobId is another error", errors: two, records: []resolvev1.Record{sent("late", from("", "restore"))}, missing: []string{"[0]"}},
		{name: "of errors that are alike, a _userId picks its own", errors: []joberrorv1.JobError{stored("e1", "late"), stored("e2", "late", by("bob"))},
			records: []resolvev1.Record{sent("late", from("bob", ""))}, names: []string{"e2"}},
		{name: "a _retryId does not matter", errors: two,
			records: []resolvev1.Record{sent("late", func(r *resolvev1.Record) { r.RetryID = "2026-11-05T10:15:00.000001Z" })}, names: []string{"e1"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			names, missing := match(tc.records, tc.errors, !tc.reopen)
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
			t.Errorf("missing %+v, want it failed as NotFound, with a message", o)
		}
	}
	if !slices.Equal(names, want) {
		t.Errorf("missing = %v, want %v", names, want)
	}
}
