// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package group adds up errors that have the same cause, so that a person sees in one screen
// what is broken.
package group

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/workload"
	"joberror.io/operator/internal/retention"
)

// Dimension is a property that all errors of a group share.
type Dimension string

// The dimensions.
const (
	Workload Dimension = "workload"
	Job      Dimension = "job"
	Code     Dimension = "code"
	Class    Dimension = "class"
	// None puts each error into a group of its own. It stands alone.
	None Dimension = "none"
)

// Dimensions holds all dimensions.
var Dimensions = []Dimension{Workload, Job, Code, Class, None}

// Parse returns the dimensions in a list.
func Parse(names []string) ([]Dimension, error) {
	var dimensions []Dimension
	for _, name := range names {
		d := Dimension(name)
		switch {
		case !slices.Contains(Dimensions, d):
			return nil, fmt.Errorf("--group-by: %q must be workload, job, code, class or none", name)
		case d == None && len(names) > 1:
			return nil, fmt.Errorf("--group-by: none cannot be combined with others")
		case slices.Contains(dimensions, d):
			return nil, fmt.Errorf("--group-by: %s is given twice", name)
		}
		dimensions = append(dimensions, d)
	}
	if len(dimensions) == 0 {
		return nil, fmt.Errorf("--group-by: must name workload, job, code, class or none")
	}
	return dimensions, nil
}

// Item is what a list shows of an error.
type Item struct {
	Name        string
	Job         workload.Job
	Workload    workload.Workload
	Code, Class string
	Occurrences int64
	First, Last time.Time
	Resolved    bool
	Message     string
}

// ItemOf returns the item of an error. Its Workload is not set.
func ItemOf(je *joberrorv1.JobError) Item {
	created := retention.CreatedAt(je)
	item := Item{
		Name: je.Name, Job: workload.JobOf(je), Code: OneLine(je.Spec.Code), Class: je.Labels[joberrorv1.LabelClass],
		Occurrences: max(int64(je.Status.Occurrences), 1), First: created, Last: created,
		Resolved: je.Spec.Resolved, Message: OneLine(je.Spec.Message),
	}
	if seen := je.Status.FirstSeen; seen != nil {
		item.First = seen.Time
	}
	if seen := je.Status.LastSeen; seen != nil && seen.After(item.Last) {
		item.Last = seen.Time
	}
	return item
}

// maxMessage limits a message in a list, in characters. It is more than the widest terminal.
const maxMessage = 500

// OneLine returns the first line of a message that has text.
func OneLine(message string) string {
	for line := range strings.Lines(message) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			return Cut(line, maxMessage)
		}
	}
	return ""
}

// Cut cuts a text to a number of characters, and marks that it did.
func Cut(text string, width int) string {
	if runes := []rune(text); width > 0 && len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}

// Group adds up errors.
type Group struct {
	// Newest is the item that was seen last.
	Newest Item
	// Errors counts the records, and Resolved those that are resolved.
	Errors, Resolved int
	Occurrences      int64
	First            time.Time
	jobs             map[string]bool
	codes, classes   map[string]bool
	workloads        map[string]bool
}

// By groups items. The group that was seen last comes first.
func By(dimensions []Dimension, items []Item) []*Group {
	groups := map[string]*Group{}
	var sorted []*Group
	for i, item := range items {
		key := item.Job.Namespace
		for _, d := range dimensions {
			if d == None {
				key = fmt.Sprint(i)
				break
			}
			key += "\x00" + value(item, d)
		}
		g := groups[key]
		if g == nil {
			g = &Group{Newest: item, First: item.First, jobs: map[string]bool{}, codes: map[string]bool{}, classes: map[string]bool{}, workloads: map[string]bool{}}
			groups[key] = g
			sorted = append(sorted, g)
		}
		g.add(item)
	}
	slices.SortStableFunc(sorted, func(a, b *Group) int {
		return cmp.Or(b.Newest.Last.Compare(a.Newest.Last), strings.Compare(a.Newest.Name, b.Newest.Name))
	})
	return sorted
}

func (g *Group) add(item Item) {
	g.Errors++
	g.Occurrences += item.Occurrences
	if item.Resolved {
		g.Resolved++
	}
	if item.First.Before(g.First) {
		g.First = item.First
	}
	if item.Last.After(g.Newest.Last) {
		g.Newest = item
	}
	g.workloads[value(item, Workload)] = true
	g.jobs[value(item, Job)] = true
	g.codes[value(item, Code)] = true
	g.classes[value(item, Class)] = true
}

func value(item Item, d Dimension) string {
	switch d {
	case Workload:
		return item.Workload.String()
	case Job:
		return item.Job.Name
	case Code:
		return item.Code
	case Class:
		return item.Class
	}
	return item.Name
}

// Value returns the value that all errors of the group share, or how many values there are.
func (g *Group) Value(d Dimension) string {
	values, plural := map[string]bool{}, ""
	switch d {
	case Workload:
		values, plural = g.workloads, "workloads"
	case Job:
		values, plural = g.jobs, "jobs"
	case Code:
		values, plural = g.codes, "codes"
	case Class:
		values, plural = g.classes, "classes"
	}
	if len(values) > 1 {
		return fmt.Sprintf("%d %s", len(values), plural)
	}
	return cmp.Or(value(g.Newest, d), "-")
}
