// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"os"
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
	sections := strings.Split(later, heading)
	byTitle := map[string]string{}
	for _, s := range sections[1:] {
		byTitle[title(s)] = s
	}
	merged := sections[0]
	for i, s := range strings.Split(earlier, heading) {
		if i == 0 {
			continue
		}
		if measured, found := byTitle[title(s)]; found {
			s = measured
			delete(byTitle, title(s))
		}
		merged += heading + strings.TrimRight(s, "\n") + "\n"
	}
	for _, s := range sections[1:] {
		if _, added := byTitle[title(s)]; added {
			merged += heading + strings.TrimRight(s, "\n") + "\n"
		}
	}
	return merged
}

func title(section string) string {
	first, _, _ := strings.Cut(section, "\n")
	return first
}
