// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"slices"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
)

// match returns the names of the errors that an array of records means: the records whose
// resolved is the wanted one, by their _id, or else by their content. It ignores the other
// records. Each record means one error. Of several errors with the same content, those that
// are already as wanted come first, so that a repeated request changes nothing more.
func match(records []resolvev1.Record, candidates []joberrorv1.JobError, resolved bool) ([]string, []resolution.Outcome) {
	byKey := groupByContentAndTime(candidates, resolved)
	matched := map[string]bool{}
	var names []string
	var missing []resolution.Outcome
	add := func(name string) {
		if !matched[name] {
			matched[name] = true
			names = append(names, name)
		}
	}
	for _, r := range records {
		switch {
		case r.Resolved != resolved || r.ID == "":
		case isName(r.ID):
			add(r.ID)
		default:
			missing = append(missing, resolution.NotFound(r.ID))
		}
	}
	// Records that name a user or a job choose first; the others take any error.
	for _, withOwner := range []bool{true, false} {
		for i, r := range records {
			if r.Resolved != resolved || r.ID != "" || namesOwner(&r) != withOwner {
				continue
			}
			equal := byKey[contentAndTime(&r)]
			at := slices.IndexFunc(equal, func(je *joberrorv1.JobError) bool { return !matched[je.Name] && hasOwnerOf(&r, je) })
			if at < 0 {
				missing = append(missing, resolution.Failure(fmt.Sprintf("[%d]", i), joberrorv1.FailureNotFound,
					"the job has no error with the content of this record"))
				continue
			}
			add(equal[at].Name)
		}
	}
	return names, missing
}

// groupByContentAndTime groups errors by contentAndTime. In each group, the errors that are
// already as wanted come first.
func groupByContentAndTime(candidates []joberrorv1.JobError, resolved bool) map[resolvev1.Record][]*joberrorv1.JobError {
	groups := map[resolvev1.Record][]*joberrorv1.JobError{}
	for _, state := range []bool{resolved, !resolved} {
		for i := range candidates {
			if candidates[i].Spec.Resolved != state {
				continue
			}
			record := recordOf(&candidates[i])
			key := contentAndTime(&record)
			groups[key] = append(groups[key], &candidates[i])
		}
	}
	return groups
}

// namesOwner reports whether a record names its user or its job.
func namesOwner(r *resolvev1.Record) bool { return r.UserID != "" || r.JobID != "" }

// hasOwnerOf reports whether an error has the user and the job that a record names.
func hasOwnerOf(r *resolvev1.Record, je *joberrorv1.JobError) bool {
	return (r.UserID == "" || r.UserID == je.Spec.UserID) && (r.JobID == "" || r.JobID == je.Spec.JobID)
}
