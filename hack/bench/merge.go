// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
	"slices"
	"strings"
)

// heading begins a section of the report.
const heading = "\n## "

// writeReport writes a report to a file. The sections that the report lacks, because only a part
// was measured, stay as they are in the file.
func writeReport(path, report string) error {
	earlier, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return os.WriteFile(path, []byte(mergeReports(string(earlier), report)), 0o644)
}

// mergeReports replaces the beginning and the sections of an earlier report by those of a later
// one.
func mergeReports(earlier, later string) string {
	measured := strings.Split(later, heading)
	sections := strings.Split(earlier, heading)[1:]
	for _, m := range measured[1:] {
		i := slices.IndexFunc(sections, func(s string) bool { return title(s) == title(m) })
		if i < 0 {
			sections = append(sections, m)
			continue
		}
		sections[i] = m
	}
	merged := measured[0]
	for _, s := range sections {
		merged += heading + strings.TrimRight(s, "\n") + "\n"
	}
	return merged
}

func title(section string) string {
	first, _, _ := strings.Cut(section, "\n")
	return first
}
