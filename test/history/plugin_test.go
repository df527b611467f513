// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package history

import (
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
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

// archivedErrors is more than fit into one answer.
const archivedErrors = 1100

func TestThePluginReadsEachPage(t *testing.T) {
	ns := cluster.Namespace(t)
	errs := make([]*joberrorv1.JobError, archivedErrors)
	for i := range errs {
		errs[i] = expired(ns, fmt.Sprintf("row-%04d", i), "load", noon(1+i/100))
	}
	keep(t, errs...)

	out := output(t, "history", "load", "-n", ns, "-o", "name")
	if lines := strings.Count(out, "\n"); lines != archivedErrors || !strings.HasPrefix(out, "joberror.joberror.io/row-1") {
		t.Errorf("%d names, want %d, and the last day first: %.200s", lines, archivedErrors, out)
	}
	var all []resolvev1.ArchivedRecord
	out = output(t, "history", "job/load", "-n", ns, "--since=2026-01-02T00:00:00Z", "--until=2026-01-03T00:00:00Z", "-o", "json")
	if err := json.Unmarshal([]byte(out), &all); err != nil || len(all) != 100 || all[0].Archived.ResolvedBy != "ada" {
		t.Errorf("%d records of a day, want 100: %v: %.200s", len(all), err, out)
	}
	out = output(t, "history", "load", "-n", ns, "--limit=3", "-o", "wide")
	if strings.Count(out, "\n") != 4 || !strings.Contains(out, "2026-01-11 12:00:00") || !strings.Contains(out, "ada") {
		t.Errorf("-o wide --limit=3 = %s", out)
	}
	if out = output(t, "history", "load", "-n", ns, "--since=1h"); out != "" {
		t.Errorf("the last hour has %q", out)
	}

	terminal, err := pty.StartWithSize(plugin(t, "history", "load", "-n", ns, "--limit=5"), &pty.Winsize{Cols: 100, Rows: 24})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	// When the process ends, reading its terminal fails on Linux.
	shown, _ := io.ReadAll(terminal)
	for _, want := range []string{"CREATED", "message of row-1", "There are more errors: --limit ended the search."} {
		if !strings.Contains(string(shown), want) {
			t.Errorf("the terminal lacks %q:\n%s", want, shown)
		}
	}
}
