// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package openerrors counts the open errors of each workload.
package openerrors

import (
	"sync"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/severity"
	"joberror.io/operator/internal/workload"
)

// entry is what one open error counts as.
type entry struct {
	workload workload.Key
	class    uint8
	level    severity.Level
	created  int64
}

// entryOf returns what an error counts as, and whether it is open.
func entryOf(obj any) (entry, bool) {
	je, ok := obj.(*joberrorv1.JobError)
	if !ok || je.Spec.Resolved {
		return entry{}, false
	}
	return entry{
		workload: workload.Of(je), class: classIndex(je.Labels[joberrorv1.LabelClass]),
		level: severity.Allowed(je), created: retention.CreatedAt(je).Unix(),
	}, true
}

// Counter counts as the cache changes, because listing all JobErrors for each scrape would cost
// much more. It holds only workloads with open errors.
type Counter struct {
	mu        sync.Mutex
	workloads map[workload.Key]*tally
	bound     *workload.Bound
}

// NewCounter returns a Counter that lists up to limit workloads one by one.
func NewCounter(limit int) *Counter {
	return &Counter{workloads: map[workload.Key]*tally{}, bound: workload.NewBound(limit)}
}

// OnAdd counts a JobError that is new in the cache.
func (c *Counter) OnAdd(obj any, _ bool) { c.replace(nil, obj) }

// OnUpdate counts the new state of a JobError in place of the old one.
func (c *Counter) OnUpdate(before, after any) { c.replace(before, after) }

// OnDelete stops counting a JobError that was deleted.
func (c *Counter) OnDelete(obj any) {
	if je, ok := informers.Deleted[*joberrorv1.JobError](obj); ok {
		c.replace(je, nil)
	}
}

func (c *Counter) replace(before, after any) {
	was, wasOpen := entryOf(before)
	is, isOpen := entryOf(after)
	if was == is {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if isOpen {
		t := c.workloads[is.workload]
		if t == nil {
			t = &tally{}
			c.workloads[is.workload] = t
		}
		t.add(is)
	}
	if t := c.workloads[was.workload]; wasOpen && t != nil {
		if t.remove(was); len(t.created) == 0 {
			delete(c.workloads, was.workload)
		}
	}
}

// Row holds the open errors of one workload, or of all workloads of a namespace that are not
// listed.
type Row struct {
	workload.Key
	Counts
	// Oldest is when the oldest error was created, in seconds since 1970.
	Oldest int64
}

// Rows returns a row for each workload that is listed, and one for the others of each namespace.
// It also returns how many are not listed.
func (c *Counter) Rows() (rows []Row, unlisted int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	candidates := make([]workload.Candidate, 0, len(c.workloads))
	for key, t := range c.workloads {
		candidates = append(candidates, workload.Candidate{Key: key, Since: t.since()})
	}
	unlisted = c.bound.Choose(candidates)
	sums := map[string]*Row{}
	for _, candidate := range candidates {
		t := c.workloads[candidate.Key]
		row := Row{candidate.Key, t.Counts, candidate.Since}
		if c.bound.Listed(candidate.Key) {
			rows = append(rows, row)
			continue
		}
		sum := sums[row.Namespace]
		if sum == nil {
			sum = &Row{Key: workload.Key{Namespace: row.Namespace}, Oldest: row.Oldest}
			sums[row.Namespace] = sum
		}
		sum.Add(row.Counts)
		sum.Oldest = min(sum.Oldest, row.Oldest)
	}
	for _, sum := range sums {
		rows = append(rows, *sum)
	}
	return rows, unlisted
}
