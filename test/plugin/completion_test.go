// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"joberror.io/operator/test/harness"
)

func TestCompletion(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "first", "load"))
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"show", "-n", ns, ""}, "job/load\njoberror/first\n:4\n"},
		{[]string{"resolve", "-n", ns, "job"}, "job/load\njoberror/first\n:4\n"},
		{[]string{"reopen", "-n", ns, ""}, ":4\n"},
		{[]string{"report", "-n", ns, ""}, "load\n:4\n"},
		{[]string{"list", "-n", ns, "--code", ""}, "code\n:4\n"},
		{[]string{"retry", "x", "--template", ""}, "Current\nOriginal\n:4\n"},
		{[]string{"watch", "--class", "inf"}, "infrastructure\n:4\n"},
		{[]string{"--namespace", ns[:len(ns)-1]}, ns + "\n:4\n"},
	} {
		// kubectl runs the program by this name.
		c := plugin(t, tc.args...)
		c.Path = filepath.Join(cluster.PluginDir(t), "kubectl_complete-joberrors")
		c.Args[0] = c.Path
		out, _ := c.want(t, 0)
		var shown []string
		for line := range strings.Lines(out) {
			// Those that do not match are the shell's to drop.
			if prefix := tc.args[len(tc.args)-1]; strings.HasPrefix(line, prefix) || strings.HasPrefix(line, ":") {
				shown = append(shown, line)
			}
		}
		if got := strings.Join(shown, ""); got != tc.want {
			t.Errorf("completion of %q = %q, want %q", tc.args, got, tc.want)
		}
	}
	if out := kubectl(t, "__complete", "joberrors", "show", "-n", ns, ""); !strings.Contains(out, "joberror/first\n") {
		t.Errorf("kubectl completes the plugin's arguments with %q", out)
	}
	if out := kubectl(t, "joberrors", "-n", ns); !strings.Contains(out, "job/load") {
		t.Errorf("kubectl joberrors prints %q", out)
	}
	script, _ := plugin(t, "completion", "bash").want(t, 0)
	check := exec.CommandContext(t.Context(), "bash", "-n")
	check.Stdin = strings.NewReader(script)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("the script for bash is not valid: %v: %s", err, out)
	}
}
