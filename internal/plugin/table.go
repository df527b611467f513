// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"

	"joberror.io/operator/internal/plugin/group"
)

// pipedMessage is the width of a message if there is no terminal.
const pipedMessage = 120

// minMessage is the width of a message for which other columns give way on a terminal.
const minMessage = 20

// column describes a column of a table. A wide one is shown only with -o wide.
type column[Row any] struct {
	name string
	// short is the name on a narrow terminal; name if it is empty.
	short string
	wide  bool
	value func(row Row) any
}

// groupColumn describes a column of the list.
type groupColumn = column[*group.Group]

// givesWay lists the columns that a narrow terminal leaves out, in this order.
var givesWay = []string{"first seen", "occurrences", string(group.Class)}

// columnOf returns the column of a dimension.
func columnOf(d group.Dimension) groupColumn {
	return groupColumn{name: string(d), value: func(g *group.Group) any { return g.Value(d) }}
}

// columns returns the columns of the list. width is that of the terminal, or 0.
func (l *listOptions) columns(dimensions []group.Dimension, width int) []groupColumn {
	var all []groupColumn
	if l.allNamespaces {
		all = append(all, groupColumn{name: "namespace", value: func(g *group.Group) any { return g.Newest.Job.Namespace }})
	}
	used := map[group.Dimension]bool{}
	for _, d := range dimensions {
		used[d] = true
		if d == group.None {
			all = append(all, groupColumn{name: "name", value: func(g *group.Group) any { return g.Newest.Name }}, columnOf(group.Job))
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
		all = append(all, groupColumn{name: "errors", value: func(g *group.Group) any { return int64(g.Errors) }})
	}
	now := time.Now()
	age := func(t time.Time) string { return duration.HumanDuration(max(0, now.Sub(t))) }
	return append(all,
		groupColumn{name: "occurrences", short: "times", value: func(g *group.Group) any { return g.Occurrences }},
		groupColumn{name: "resolved", wide: l.open, value: func(g *group.Group) any { return int64(g.Resolved) }},
		groupColumn{name: "first seen", short: "first", value: func(g *group.Group) any { return age(g.First) }},
		groupColumn{name: "last seen", short: "last", value: func(g *group.Group) any { return age(g.Newest.Last) }},
		groupColumn{name: "newest error", wide: true, value: func(g *group.Group) any { return g.Newest.Name }},
		groupColumn{name: "message", value: func(g *group.Group) any {
			if width == 0 {
				return group.Cut(g.Newest.Message, pipedMessage)
			}
			return g.Newest.Message
		}},
	)
}

// Spaces between columns.
const (
	roomy = 3
	tight = 2
)

// fit makes room for the message, which is the last column, on a terminal of this width. The
// names of columns become shorter first. Then columns are left out.
func fit(columns []groupColumn, groups []*group.Group, width int) (fitting []groupColumn, gap int) {
	if room(columns, groups, roomy, width) >= minMessage {
		return columns, roomy
	}
	fitting = slices.Clone(columns)
	for i := range fitting {
		if short := fitting[i].short; short != "" {
			fitting[i].short, fitting[i].name = fitting[i].name, short
		}
	}
	for _, name := range givesWay {
		if room(fitting, groups, tight, width) >= minMessage {
			break
		}
		fitting = slices.DeleteFunc(fitting, func(c groupColumn) bool { return name == c.name || name == c.short })
	}
	return fitting, tight
}

// room returns the width that is left for the last column.
func room(columns []groupColumn, groups []*group.Group, gap, width int) int {
	for _, c := range columns[:len(columns)-1] {
		if c.wide {
			continue
		}
		widest := utf8.RuneCountInString(c.name)
		for _, g := range groups {
			widest = max(widest, utf8.RuneCountInString(fmt.Sprint(c.value(g))))
		}
		width -= widest + gap
	}
	return width
}

// render returns the groups as text for a terminal of this width, or for a pipe if it is 0, and
// reports whether columns are left out.
func (l *listOptions) render(dimensions []group.Dimension, groups []*group.Group, width int, wide bool) (text string, hidden bool, err error) {
	columns, gap := l.columns(dimensions, width), roomy
	all := len(columns)
	if width > 0 && !wide {
		columns, gap = fit(columns, groups, width)
	}
	text, err = renderTable(columns, groups, gap, wide)
	return text, len(columns) < all, err
}

// renderTable returns rows as text with a gap between the columns.
func renderTable[Row any](columns []column[Row], rows []Row, gap int, wide bool) (string, error) {
	var out bytes.Buffer
	w := printers.GetNewTabWriter(&out)
	w.Init(&out, 0, 4, gap, ' ', 0)
	err := printers.NewTablePrinter(printers.PrintOptions{Wide: wide}).PrintObj(tableOf(columns, rows), w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return "", fmt.Errorf("print the table: %w", err)
	}
	return out.String(), nil
}

// tableOf returns rows as a table.
func tableOf[Row any](columns []column[Row], rows []Row) *metav1.Table {
	table := &metav1.Table{}
	for _, c := range columns {
		definition := metav1.TableColumnDefinition{Name: c.name, Type: "string"}
		if c.wide {
			definition.Priority = 1
		}
		table.ColumnDefinitions = append(table.ColumnDefinitions, definition)
	}
	for _, row := range rows {
		cells := metav1.TableRow{}
		for _, c := range columns {
			cells.Cells = append(cells.Cells, c.value(row))
		}
		table.Rows = append(table.Rows, cells)
	}
	return table
}

// writeTable writes the lines of a table, each cut to the width of a terminal.
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
