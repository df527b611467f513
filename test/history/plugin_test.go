// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// plugin returns a run of the plugin as the administrator.
func plugin(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), filepath.Join(cluster.PluginDir(t), "kubectl-joberrors"), args...)
	c.Env = append(cluster.KubectlEnv(), "TZ=UTC")
	return c
}

// output runs the plugin, and returns what it writes to standard output.
func output(t *testing.T, args ...string) string {
	t.Helper()
	out, err := plugin(t, args...).Output()
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return string(out)
}

const (
	// archivedErrors takes eleven answers, so that a terminal shows how far a search has come.
	archivedErrors = 5500
	errorsPerDay   = 500
)

func TestThePluginReadsEachPage(t *testing.T) {
	ns := cluster.Namespace(t)
	errs := make([]*joberrorv1.JobError, archivedErrors)
	for i := range errs {
		errs[i] = expired(ns, fmt.Sprintf("row-%04d", i), "load", noon(1+i/errorsPerDay))
	}
	keep(t, errs...)

	out := output(t, "history", "load", "-n", ns, "-o", "name")
	if lines := strings.Count(out, "\n"); lines != archivedErrors || !strings.HasPrefix(out, "joberror.joberror.io/row-5") {
		t.Errorf("%d names, want %d, and the last day first: %.200s", lines, archivedErrors, out)
	}
	var all []resolvev1.ArchivedRecord
	out = output(t, "history", "job/load", "-n", ns, "--since=2026-01-02T00:00:00Z", "--until=2026-01-03T00:00:00Z", "-o", "json")
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != errorsPerDay || all[0].Archived.ResolvedBy != "ada" {
		t.Errorf("%d records of a day, want %d: %v: %.200s", len(all), errorsPerDay, err, out)
	}
	out = output(t, "history", "load", "-n", ns, "--limit=3", "-o", "wide")
	if strings.Count(out, "\n") != 4 || !strings.Contains(out, "2026-01-11 12:00:00") || !strings.Contains(out, "ada") {
		t.Errorf("-o wide --limit=3 = %s", out)
	}
	if out = output(t, "history", "load", "-n", ns, "--since=1h"); out != "" {
		t.Errorf("the last hour has %q", out)
	}

	shown := onTerminal(t, "history", "load", "-n", ns, "--limit=5")
	for _, want := range []string{"CREATED", "message of row-5", "There are more errors: --limit ended the search."} {
		if !strings.Contains(shown, want) {
			t.Errorf("the terminal lacks %q:\n%s", want, shown)
		}
	}
	shown = onTerminal(t, "history", "load", "-n", ns)
	if !regexp.MustCompile(`\rfound [0-9,]+[^\r]*, back to 2026-01-\d\d\x1b\[K`).MatchString(shown) || !strings.Contains(shown, "message of row-0000") {
		t.Errorf("the terminal does not show how far the search has come:\n%.500q", shown)
	}
}

// onTerminal runs the plugin on a terminal, and returns what the terminal shows.
func onTerminal(t *testing.T, args ...string) string {
	t.Helper()
	terminal, err := pty.StartWithSize(plugin(t, args...), &pty.Winsize{Cols: 100, Rows: 24})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	// When the process ends, reading its terminal fails on Linux.
	shown, _ := io.ReadAll(terminal)
	return string(shown)
}
