// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/util/sets"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
)

// matcher finds the errors that an array of records means: by their _id, or else by their
// content. Each record means one error. Of several errors with the same content, those that
// are already as wanted come first, so that a repeated request changes nothing more.
//
// The job's errors are added one at a time. The matcher holds only the names of those that a
// record may mean.
type matcher struct {
	index  *recordIndex
	ids    sets.Set[string]
	groups map[contentDigest]*matchGroup
}

// matchGroup holds the records and the errors with the same content.
type matchGroup struct {
	records int
	// asWanted and others hold the errors that are in the wanted state and the other errors.
	asWanted, others candidates
}

// candidates are errors with the same content and the same state.
type candidates struct {
	errors []candidate
	// kept counts the errors that match each owner of a record.
	kept map[recordOwner]int
}

type candidate struct {
	name  string
	owner recordOwner
	taken bool
}

func newMatcher(index *recordIndex) *matcher {
	m := &matcher{index: index, ids: sets.New[string](), groups: map[contentDigest]*matchGroup{}}
	for _, r := range index.records {
		if r.id != "" {
			m.ids.Insert(r.id)
			continue
		}
		group := m.groups[r.content]
		if group == nil {
			group = &matchGroup{}
			m.groups[r.content] = group
		}
		group.records++
		for _, c := range []*candidates{&group.asWanted, &group.others} {
			if c.kept == nil {
				c.kept = map[recordOwner]int{}
			}
			c.kept[r.owner] = 0
		}
	}
	return m
}

// add adds an error of the job.
func (m *matcher) add(je *joberrorv1.JobError) {
	if len(m.groups) == 0 || m.ids.Has(je.Name) {
		return
	}
	record := recordOf(je)
	group := m.groups[digestOf(&record)]
	switch {
	case group == nil:
	case je.Spec.Resolved == m.index.resolved:
		group.asWanted.add(je, group.records)
	default:
		group.others.add(je, group.records)
	}
}

// add adds an error unless there are enough for all records: the records with one content take
// at most as many errors as they are, whatever owners they name.
func (c *candidates) add(je *joberrorv1.JobError, enough int) {
	user, job := je.Spec.UserID, je.Spec.JobID
	keep := false
	for owner := range sets.New(recordOwner{}, recordOwner{user: user}, recordOwner{job: job}, recordOwner{user: user, job: job}) {
		if kept, wanted := c.kept[owner]; wanted && kept < enough {
			c.kept[owner]++
			keep = true
		}
	}
	if keep {
		c.errors = append(c.errors, candidate{name: je.Name, owner: recordOwner{user: user, job: job}})
	}
}

// take returns the first error that a record with this owner may mean and that no other record
// has taken; empty if there is none.
func (c *candidates) take(owner recordOwner) string {
	at := slices.IndexFunc(c.errors, func(e candidate) bool { return !e.taken && owner.matches(e.owner) })
	if at < 0 {
		return ""
	}
	c.errors[at].taken = true
	return c.errors[at].name
}

// match returns the names of the errors that the records mean, and a failure for each record
// that means no error.
func (m *matcher) match() (names []string, missing []resolution.Outcome) {
	added := sets.New[string]()
	for _, r := range m.index.records {
		switch {
		case r.id == "" || added.Has(r.id):
		case isName(r.id):
			added.Insert(r.id)
			names = append(names, r.id)
		default:
			missing = append(missing, resolution.NotFound(shorten([]byte(r.id))))
		}
	}
	// Records that name a user or a job choose first; the others take any error.
	for _, withOwner := range []bool{true, false} {
		for _, r := range m.index.records {
			if r.id != "" || (r.owner != recordOwner{}) != withOwner {
				continue
			}
			group := m.groups[r.content]
			name := group.asWanted.take(r.owner)
			if name == "" {
				name = group.others.take(r.owner)
			}
			if name == "" {
				missing = append(missing, resolution.Failure(fmt.Sprintf("[%d]", r.index), joberrorv1.FailureNotFound,
					"the job has no error with the content of this record"))
				continue
			}
			names = append(names, name)
		}
	}
	return names, missing
}
