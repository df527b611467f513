// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"io"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"

	"joberror.io/operator/internal/plugin/group"
)

// pipedMessage is the width of a message if there is no terminal.
const pipedMessage = 120

// column is a column of the list. A wide one is shown with -o wide.
type column struct {
	name  string
	wide  bool
	value func(g *group.Group) any
}

// columnOf returns the column of a dimension.
func columnOf(d group.Dimension) column {
	return column{name: string(d), value: func(g *group.Group) any { return g.Value(d) }}
}

// columns returns the columns of the list. width is that of the terminal, or 0.
func (l *listOptions) columns(dimensions []group.Dimension, width int) []column {
	var all []column
	if l.allNamespaces {
		all = append(all, column{name: "namespace", value: func(g *group.Group) any { return g.Newest.Job.Namespace }})
	}
	used := map[group.Dimension]bool{}
	for _, d := range dimensions {
		used[d] = true
		if d == group.None {
			all = append(all, column{name: "name", value: func(g *group.Group) any { return g.Newest.Name }}, columnOf(group.Job))
			used[group.Job], used[group.Workload] = true, true
			continue
		}
		all = append(all, columnOf(d))
	}
	for _, d := range []group.Dimension{group.Code, group.Class, group.Workload, group.Job} {
		if !used[d] {
			rest := columnOf(d)
			rest.wide = d == group.Job || d == group.Workload
			all = append(all, rest)
		}
	}
	if !used[group.None] {
		all = append(all, column{name: "errors", value: func(g *group.Group) any { return int64(g.Errors) }})
	}
	now := time.Now()
	age := func(t time.Time) string { return duration.HumanDuration(max(0, now.Sub(t))) }
	return append(all,
		column{name: "occurrences", value: func(g *group.Group) any { return g.Occurrences }},
		column{name: "resolved", wide: l.open, value: func(g *group.Group) any { return int64(g.Resolved) }},
		column{name: "first seen", value: func(g *group.Group) any { return age(g.First) }},
		column{name: "last seen", value: func(g *group.Group) any { return age(g.Newest.Last) }},
		column{name: "newest error", wide: true, value: func(g *group.Group) any { return g.Newest.Name }},
		column{name: "message", value: func(g *group.Group) any {
			if width == 0 {
				return group.Cut(g.Newest.Message, pipedMessage)
			}
			return g.Newest.Message
		}},
	)
}

// tableOf returns the groups as a table.
func tableOf(columns []column, groups []*group.Group) *metav1.Table {
	table := &metav1.Table{}
	for _, c := range columns {
		definition := metav1.TableColumnDefinition{Name: c.name, Type: "string"}
		if c.wide {
			definition.Priority = 1
		}
		table.ColumnDefinitions = append(table.ColumnDefinitions, definition)
	}
	for _, g := range groups {
		row := metav1.TableRow{Object: runtime.RawExtension{}}
		for _, c := range columns {
			row.Cells = append(row.Cells, c.value(g))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

// writeTable writes the lines of a table, cut to the width of a terminal. The last column may
// be as long as it likes.
func writeTable(w io.Writer, text string, columns int) {
	color := paint(w)
	for i, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		line = group.Cut(strings.TrimRight(line, " "), columns)
		if i == 0 {
			line = color(bold, line)
		}
		fmt.Fprintln(w, line)
	}
}
