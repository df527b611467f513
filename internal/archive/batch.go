// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"cmp"
	"slices"

	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/retention"
)

const (
	// MaxRecords limits the records of an object.
	MaxRecords = 10_000
	// maxBytes limits the sizes of an object's records, because an object is encoded in memory.
	maxBytes = 32 << 20
)

// batch holds the entries of one object, sorted as in the file: by Job and createdAt.
type batch struct {
	part    part
	entries []Entry
}

// batches groups entries by namespace and day, and splits groups that are too large. The result
// does not depend on the order of the entries.
func batches(entries []Entry) []batch {
	groups := map[part][]Entry{}
	for _, e := range entries {
		p := part{e.Error.Namespace, e.NamespaceUID, day(retention.CreatedAt(e.Error))}
		groups[p] = append(groups[p], e)
	}
	var all []batch
	for p, group := range groups {
		slices.SortFunc(group, compare)
		for _, entries := range split(group) {
			all = append(all, batch{p, entries})
		}
	}
	slices.SortStableFunc(all, func(a, b batch) int {
		return cmp.Or(cmp.Compare(a.part.namespace, b.part.namespace), cmp.Compare(a.part.namespaceUID, b.part.namespaceUID), cmp.Compare(a.part.date, b.part.date))
	})
	return all
}

func compare(a, b Entry) int {
	return cmp.Or(
		cmp.Compare(jobName(a), jobName(b)),
		retention.CreatedAt(a.Error).Compare(retention.CreatedAt(b.Error)),
		cmp.Compare(a.Error.UID, b.Error.UID),
		cmp.Compare(a.Error.ResourceVersion, b.Error.ResourceVersion),
	)
}

func jobName(e Entry) string {
	if job := joblink.Linked(e.Error); job != nil {
		return job.Name
	}
	return e.Error.Spec.JobID
}

// split cuts sorted entries into groups that fit into an object.
func split(entries []Entry) [][]Entry {
	var groups [][]Entry
	start, size := 0, 0
	for i, e := range entries {
		bytes := Size(e.Error)
		if i > start && (i-start == MaxRecords || size+bytes > maxBytes) {
			groups = append(groups, entries[start:i])
			start, size = i, 0
		}
		size += bytes
	}
	return append(groups, entries[start:])
}
