// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
)

// match finds the errors that an array of records means: those records whose
// resolved is as the request wants it, by their _id, or else by their content.
// The others are left alone. A record stands for one error: of several errors
// that are alike, as many are taken as there are such records, those that are
// as wanted already first, so that a repeated request changes nothing more.
func match(records []resolvev1.Record, errors []joberrorv1.JobError, wants bool) ([]string, []resolution.Outcome) {
	byContent := index(errors, wants)
	taken := map[string]bool{}
	var names []string
	var missing []resolution.Outcome
	take := func(name string) {
		if !taken[name] {
			taken[name] = true
			names = append(names, name)
		}
	}
	for _, r := range records {
		switch {
		case r.Resolved != wants || r.ID == "":
		case isName(r.ID):
			take(r.ID)
		default:
			missing = append(missing, resolution.NotFound(r.ID))
		}
	}
	// Those that name a user or a job choose first; the others take any.
	for _, particular := range []bool{true, false} {
		for i, r := range records {
			if r.Resolved != wants || r.ID != "" || hasIDs(&r) != particular {
				continue
			}
			je := first(byContent[content(&r)], func(je *joberrorv1.JobError) bool {
				return !taken[je.Name] && sameIDs(&r, je)
			})
			if je == nil {
				missing = append(missing, resolution.Failure(fmt.Sprintf("[%d]", i), joberrorv1.FailureNotFound,
					"the job has no error with the content of this record"))
				continue
			}
			take(je.Name)
		}
	}
	return names, missing
}

// index groups errors by their content, those that are as wanted first.
func index(errors []joberrorv1.JobError, wants bool) map[resolvev1.Record][]*joberrorv1.JobError {
	groups := map[resolvev1.Record][]*joberrorv1.JobError{}
	for _, state := range []bool{wants, !wants} {
		for i := range errors {
			if errors[i].Spec.Resolved != state {
				continue
			}
			record := recordOf(&errors[i])
			key := content(&record)
			groups[key] = append(groups[key], &errors[i])
		}
	}
	return groups
}

func sameIDs(r *resolvev1.Record, je *joberrorv1.JobError) bool {
	return (r.UserID == "" || r.UserID == je.Spec.UserID) && (r.JobID == "" || r.JobID == je.Spec.JobID)
}

func hasIDs(r *resolvev1.Record) bool { return r.UserID != "" || r.JobID != "" }

func first(errors []*joberrorv1.JobError, want func(*joberrorv1.JobError) bool) *joberrorv1.JobError {
	for _, je := range errors {
		if want(je) {
			return je
		}
	}
	return nil
}
