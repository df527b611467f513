// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// kubectlGet runs kubectl get. It returns the column names, and the rows by object name.
func kubectlGet(t *testing.T, args ...string) (header []string, rows map[string]string) {
	t.Helper()
	lines := strings.Split(strings.TrimRight(cluster.Kubectl(t, append([]string{"get"}, args...)...), "\n"), "\n")
	rows = map[string]string{}
	for _, line := range lines[1:] {
		name, _, _ := strings.Cut(line, " ")
		rows[name] = strings.TrimRight(line, " ")
		if utf8.RuneCountInString(line) > 250 {
			t.Errorf("row has %d characters, want at most 250: %s", utf8.RuneCountInString(line), line)
		}
	}
	if len(rows) != len(lines)-1 {
		t.Errorf("%d lines for %d objects, want one line for each object:\n%s", len(lines)-1, len(rows), strings.Join(lines, "\n"))
	}
	return strings.Fields(lines[0]), rows
}

func TestEveryMessageFitsTheTable(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	long := strings.Repeat("0123456789", 10)
	for name, tc := range map[string]struct{ message, summary, shown string }{
		"long":      {strings.Repeat("x", 32<<10), strings.Repeat("x", 99) + "…", strings.Repeat("x", 99) + "…"},
		"multiline": {"no such table: orders\n\tat import.py:17\n\tat main.py:3\n", "no such table: orders …", "no such table: orders …"},
		"colored":   {"\x1b[31mno\tsuch table\x1b[0m", "no such table", "no such table"},
		"fits":      {long, "", long},
		"short":     {"no such table", "", "no such table"},
		"empty":     {},
	} {
		harness.Create(t, cluster.Client, harness.JobError(ns, name, "job", withSpec(func(s *joberrorv1.JobErrorSpec) { s.Message = tc.message })))
		if summary := cluster.WaitObserved(t, ns, name).Status.Summary; summary != tc.summary {
			t.Errorf("%s: summary = %q, want %q", name, summary, tc.summary)
		}
		// The class column is empty, so the row has one field less than the header.
		header, rows := kubectlGet(t, "je", name, "-n", ns)
		if want := []string{"NAME", "JOB", "CODE", "CLASS", "RESOLVED", "AGE", "MESSAGE"}; !slices.Equal(header, want) {
			t.Errorf("columns = %v, want %v", header, want)
		}
		row := strings.Fields(rows[name])
		if shown := strings.Join(row[min(len(row), 5):], " "); shown != tc.shown || row[3] != "false" {
			t.Errorf("%s: row = %q, want the message %q", name, rows[name], tc.shown)
		}
		header, rows = kubectlGet(t, "je", name, "-n", ns, "-o", "wide")
		if want := []string{"NAME", "JOB", "CODE", "CLASS", "RESOLVED", "RESOLVED-BY", "SOURCE", "EXTRACT", "GENERATE", "OCCURRENCES", "EXPIRES", "AGE", "MESSAGE"}; !slices.Equal(header, want) {
			t.Errorf("wide columns = %v, want %v", header, want)
		}
		if !strings.HasSuffix(rows[name], tc.shown) {
			t.Errorf("%s: wide row = %q, want the message %q", name, rows[name], tc.shown)
		}
	}

	// The table shows a changed message.
	patch := harness.MergePatch(`{"spec":{"message":"no such table"}}`)
	if err := cluster.Client.Patch(t.Context(), harness.JobError(ns, "long", "job"), patch); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, "long", func(je *joberrorv1.JobError) bool { return je.Status.Summary == "" })
	if _, rows := kubectlGet(t, "je", "-n", ns); len(rows) != 6 || !strings.HasSuffix(rows["long"], " no such table") {
		t.Errorf("rows = %v, want 6, and the new message for long", rows)
	}
}

func TestSelectsErrorsByClass(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "created")
	harness.Do(t, cluster.Config(), http.MethodPost, path, `[{"_id":"row-17","code":"OOMKilled","message":"no date"}]`).Want(t, http.StatusCreated)
	harness.Create(t, cluster.Client, harness.Job(ns, "failing", harness.Failing("3")))
	cluster.WaitErrors(t, ns, harness.JobAndCode, "job/OOMKilled", "job/code", "failing/ExitCode:3", "failing/BackoffLimitExceeded")
	for class, want := range map[string][]string{
		joberrorv1.ClassApplication:    {"BackoffLimitExceeded", "ExitCode:3"},
		joberrorv1.ClassData:           {"OOMKilled"},
		joberrorv1.ClassInfrastructure: nil,
	} {
		selector := joberrorv1.LabelClass + "=" + class
		codes := strings.Fields(cluster.Kubectl(t, "get", "je", "-n", ns, "-l", selector, "-o", "jsonpath={.items[*].spec.code}"))
		if slices.Sort(codes); !slices.Equal(codes, want) {
			t.Errorf("codes for %s = %v, want %v", selector, codes, want)
		}
		if len(want) == 0 {
			continue
		}
		_, rows := kubectlGet(t, "je", "-n", ns, "-l", selector)
		for name, row := range rows {
			if strings.Fields(row)[3] != class {
				t.Errorf("row of %s = %q, want the class %s", name, row, class)
			}
		}
	}
}
