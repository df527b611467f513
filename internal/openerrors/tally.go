// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package openerrors

import (
	"slices"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/severity"
)

// Classes holds the classes that are counted. The first one counts the errors without a class, or
// with one that a person made up: the number of series has a bound.
var Classes = [...]string{
	"", joberrorv1.ClassApplication, joberrorv1.ClassResources, joberrorv1.ClassImage, joberrorv1.ClassConfiguration,
	joberrorv1.ClassInfrastructure, joberrorv1.ClassDeadline, joberrorv1.ClassPolicy, joberrorv1.ClassSchedule, joberrorv1.ClassData,
}

func classIndex(class string) uint8 { return uint8(max(0, slices.Index(Classes[:], class))) }

// Counts hold how many errors are open.
type Counts struct {
	// ByClass has the order of Classes.
	ByClass [len(Classes)]int
	// ByLevel counts the errors by the severity that they set.
	ByLevel [severity.Levels]int
}

// Add adds other counts.
func (c *Counts) Add(other Counts) {
	for i, n := range other.ByClass {
		c.ByClass[i] += n
	}
	for i, n := range other.ByLevel {
		c.ByLevel[i] += n
	}
}

// Severity returns the highest severity of the errors. Those that set none have the default.
func (c *Counts) Severity(byDefault severity.Level) severity.Level {
	highest := severity.Unset
	for level, n := range c.ByLevel {
		if n > 0 {
			highest = max(highest, severity.Level(level))
		}
	}
	if c.ByLevel[severity.Unset] > 0 {
		highest = max(highest, byDefault)
	}
	return highest
}

// tally counts the open errors of one workload.
type tally struct {
	Counts
	// created holds when each error was created, in seconds since 1970, in any order.
	created []int64
	// oldest holds the smallest of them, unless it must be found again.
	oldest int64
	stale  bool
}

func (t *tally) add(e entry) {
	t.ByClass[e.class]++
	t.ByLevel[e.level]++
	if len(t.created) == 0 || e.created < t.oldest {
		// A new minimum holds even if the old one was to be found again.
		t.oldest, t.stale = e.created, false
	}
	t.created = append(t.created, e.created)
}

func (t *tally) remove(e entry) {
	i := slices.Index(t.created, e.created)
	if i < 0 {
		return
	}
	t.ByClass[e.class]--
	t.ByLevel[e.level]--
	last := len(t.created) - 1
	t.created[i] = t.created[last]
	t.created = t.created[:last]
	t.stale = t.stale || e.created == t.oldest
}

// since returns when the oldest error was created.
func (t *tally) since() int64 {
	if t.stale {
		t.oldest, t.stale = slices.Min(t.created), false
	}
	return t.oldest
}
