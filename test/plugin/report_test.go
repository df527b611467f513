// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"joberror.io/operator/test/harness"
)

func TestReport(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "load"))
	dir := t.TempDir()
	file, refused := filepath.Join(dir, "rows.ndjson"), filepath.Join(dir, "refused.ndjson")
	var text strings.Builder
	const total = 1_300
	for i := 1; i <= total; i++ {
		switch i {
		case 17:
			text.WriteString("{oops\n")
		case 700:
			text.WriteString("{\"code\":\"bad_date\",\"massage\":\"typo\"}\n")
		case 701:
			text.WriteString("{\"createdAt\":\"1999-01-01T00:00:00Z\",\"message\":\"too old\"}\n")
		case 1_200:
			text.WriteString("\n")
		default:
			fmt.Fprintf(&text, "{\"code\":\"bad_date\",\"message\":\"row %d\"}\n", i)
		}
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := plugin(t, "report", "load", "-n", ns, "--file", file, "--dry-run=server", "--from-line=1200").want(t, 0)
	contains(t, out, "job/load: 100 rows reported (server dry run)")

	// The second run counts no row twice.
	for range 2 {
		out, stderr := plugin(t, "report", "load", "-n", ns, "--file", file, "--refused", refused).want(t, 1)
		contains(t, out, "job/load: 1,296 rows reported, 3 refused\n")
		contains(t, stderr, "line 17: is not valid JSON", "line 700: massage: ", "line 701: createdAt: ")
	}
	errs := cluster.Errors(t, ns)
	if len(errs) != total-4 {
		t.Errorf("%d errors are recorded, want %d", len(errs), total-4)
	}
	for i := range errs {
		if n := errs[i].Status.Occurrences; n > 1 {
			t.Fatalf("%s is counted %d times", errs[i].Spec.Message, n)
		}
	}
	data, err := os.ReadFile(refused)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	var last struct {
		Line    int
		Code    int
		Message string
		Row     json.RawMessage
	}
	if err := json.Unmarshal([]byte(lines[1]), &last); err != nil || len(lines) != 3 || last.Line != 700 || last.Code != 422 || string(last.Row) == "" {
		t.Errorf("the file of refused rows has:\n%s\n%v", data, err)
	}

	_, stderr := plugin(t, "report", "load", "-n", ns, "--file", file).as(t, "nobody").want(t, 1)
	contains(t, stderr, "forbidden")
	if strings.Contains(stderr, "To go on") {
		t.Errorf("a report that the user may not make can't go on:\n%s", stderr)
	}
	_, stderr = plugin(t, "report", "load", "-n", ns, "--file", filepath.Join(dir, "missing")).want(t, 1)
	contains(t, stderr, "--file: ", "no such file")
}

func TestInterruptedReport(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "load"))
	file := filepath.Join(t.TempDir(), "rows.ndjson")
	var text strings.Builder
	const total = 1_400
	for i := 1; i <= total; i++ {
		// Equal rows are occurrences of one error.
		fmt.Fprintf(&text, "{\"message\":\"row %d\"}\n", i%700)
	}
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	// The pipe delivers the first batch, and a part of the second.
	c := plugin(t, "report", "job/load", "-n", ns, "-f", "-")
	in, out := io.Pipe()
	c.Stdin = in
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(text.String(), "\n")
	if _, err := io.WriteString(out, strings.Join(lines[:1_200], "")); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, func() string {
		if n := len(cluster.Errors(t, ns)); n < 700 {
			return fmt.Sprintf("%d errors of the first batch are stored", n)
		}
		return ""
	})
	// The plugin does not wait for the pipe.
	c.interrupt(t)
	harness.Eventually(t, func() string {
		if !strings.Contains(c.stderr.String(), "--from-line") {
			return "the command to go on is missing in: " + c.stderr.String()
		}
		return ""
	})
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	_, stderr := c.wantEnd(t, 130)
	_, command, ok := strings.Cut(stderr, "To go on:\n  kubectl joberrors ")
	if !ok {
		t.Fatalf("the command to go on is missing in:\n%s", stderr)
	}
	args := strings.Fields(strings.Replace(command, "--file -", "--file "+file, 1))
	stdout, _ := plugin(t, args...).want(t, 0)
	contains(t, stdout, "rows reported")
	// The controller writes the counts after the report.
	harness.Eventually(t, func() string {
		errs := cluster.Errors(t, ns)
		if len(errs) != 700 {
			t.Fatalf("%d errors are recorded, want 700", len(errs))
		}
		for i := range errs {
			if n := errs[i].Status.Occurrences; n != 2 {
				return fmt.Sprintf("%s is counted %d times, want 2", errs[i].Spec.Message, n)
			}
		}
		return ""
	})
}
