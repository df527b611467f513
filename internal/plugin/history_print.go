// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"sigs.k8s.io/yaml"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/plugin/group"
	"joberror.io/operator/internal/plugin/history"
	"joberror.io/operator/internal/plugin/progress"
	"joberror.io/operator/internal/plugin/timeline"
)

// historyFormats holds the values of -o.
var historyFormats = []string{"wide", "json", "yaml", "name"}

func (h *historyOptions) checkFormat() error {
	if h.format == "" || slices.Contains(historyFormats, h.format) {
		return nil
	}
	return usageError{fmt.Errorf("--output: %q must be one of %s", h.format, strings.Join(historyFormats, ", "))}
}

// print prints the errors that were found. Programs get all of them or nothing.
func (h *historyOptions) print(found *historyFound) error {
	records := found.NewestFirst()
	if h.limit > 0 && len(records) > h.limit {
		records = records[:h.limit]
	}
	forPeople := h.format == "" || h.format == "wide"
	switch {
	case found.interrupted && !forPeople:
	case h.format == "json":
		data, err := json.MarshalIndent(records, "", "    ")
		if err != nil {
			return fmt.Errorf("encode the history: %w", err)
		}
		fmt.Fprintf(h.Out, "%s\n", data)
	case h.format == "yaml":
		data, err := yaml.Marshal(records)
		if err != nil {
			return fmt.Errorf("encode the history: %w", err)
		}
		fmt.Fprintf(h.Out, "%s", data)
	case h.format == "name":
		for i := range records {
			fmt.Fprintf(h.Out, "joberror.joberror.io/%s\n", records[i].ID)
		}
	case len(records) > 0:
		rows := make([]*resolvev1.ArchivedRecord, len(records))
		for i := range records {
			rows[i] = &records[i]
		}
		text, err := renderTable(historyColumns, rows, roomy, h.format == "wide")
		if err != nil {
			return err
		}
		width, _ := size(h.Out)
		if h.format == "wide" {
			width = 0
		}
		writeTable(h.Out, text, width)
	}
	h.printEnd(found, len(records), forPeople)
	return nil
}

// printEnd says what the output does not hold.
func (h *historyOptions) printEnd(found *historyFound, shown int, forPeople bool) {
	if found.skipped > 0 {
		fmt.Fprintf(h.ErrOut, "%s of the archive %s skipped. The log of the operator says why.\n",
			progress.Count(int64(found.skipped), "part"), wasOrWere(found.skipped))
	}
	switch {
	case found.interrupted && found.through == "":
		fmt.Fprintln(h.ErrOut, "Interrupted before anything was found.")
	case found.interrupted:
		fmt.Fprintf(h.ErrOut, "Interrupted. The archive was searched back to %s. To go on: --until=%sT00:00:00Z\n", found.through, dayAfter(found.through))
	case found.limited:
		fmt.Fprintf(h.ErrOut, "There are more errors: --limit ended the search.\n")
	case shown == 0 && forPeople:
		fmt.Fprintln(h.ErrOut, "No archived errors found.")
	}
}

// dayAfter returns the day after a day. --until excludes its time, so midnight of the next day
// includes a day to its last millisecond.
func dayAfter(day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	return at.AddDate(0, 0, 1).Format(time.DateOnly)
}

func wasOrWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

// historyColumns holds the columns of the history. The last one is cut to the terminal.
var historyColumns = []column[*resolvev1.ArchivedRecord]{
	{name: "created", value: func(r *resolvev1.ArchivedRecord) any { return timeline.Time(history.CreatedAt(r)) }},
	{name: "code", value: func(r *resolvev1.ArchivedRecord) any { return orDash(r.Code) }},
	{name: "class", value: func(r *resolvev1.ArchivedRecord) any { return orDash(r.Archived.Class) }},
	{name: "state", value: func(r *resolvev1.ArchivedRecord) any {
		if r.Resolved {
			return "resolved"
		}
		return "open"
	}},
	{name: "name", value: func(r *resolvev1.ArchivedRecord) any { return r.ID }},
	{name: "job", wide: true, value: func(r *resolvev1.ArchivedRecord) any {
		if r.Archived.Job != "" {
			return r.Archived.Job
		}
		return r.JobID
	}},
	{name: "occurrences", wide: true, value: func(r *resolvev1.ArchivedRecord) any { return int64(max(r.Archived.Occurrences, 1)) }},
	{name: "resolved by", wide: true, value: func(r *resolvev1.ArchivedRecord) any { return orDash(r.Archived.ResolvedBy) }},
	{name: "archived", wide: true, value: func(r *resolvev1.ArchivedRecord) any {
		if r.Archived.At == nil {
			return "-"
		}
		return timeline.Time(r.Archived.At.Time)
	}},
	{name: "message", value: func(r *resolvev1.ArchivedRecord) any {
		line, _, _ := strings.Cut(strings.TrimSpace(r.Message), "\n")
		return group.Cut(line, pipedMessage)
	}},
}
