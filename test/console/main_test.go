//go:build browser

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package console tests the console in a real browser, against a real control plane. It needs
// Chromium and Node. "make test-browser" runs it.
package console

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/test/harness"
)

var cluster = harness.Cluster{FastControllers: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }

// many is the number of open errors that the list must handle.
const many = 10000

// TestBrowser seeds the control plane and runs the scripts in this directory. Chromium loads all
// errors, so the script that needs many of them is the last one.
func TestBrowser(t *testing.T) {
	operator := operate(t)
	environment := []string{"PLUGIN=" + filepath.Join(cluster.PluginDir(t), "kubectl-joberrors"), "KUBECTL=" + cluster.KubectlPath(), "ADMIN=" + cluster.Kubeconfig}
	seedDemo(t)
	seedJobs(t, "shop")
	for user, role := range map[string]string{"viewer": "view", "editor": "edit", "nobody": ""} {
		if role != "" {
			cluster.Grant(t, "shop", user, role)
		}
		path, _, err := cluster.KubeconfigFor(user+".kubeconfig", user)
		if err != nil {
			t.Fatal(err)
		}
		environment = append(environment, strings.ToUpper(user)+"="+path)
	}
	for _, script := range []string{"guards", "list", "pages", "shots", "states"} {
		run(t, script, environment)
	}

	if err := operator.Stop(); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(t.TempDir(), "archive")
	operate(t, "--archive-url=file://"+archive+"?create_dir=true", "--archive-interval=1s", "--archive-resolved-after=1s", "--allow-mass-expiry")
	seedArchive(t, "attic")
	run(t, "archive", append(environment, "ARCHIVE="+archive))

	seedMany(t, "many", many)
	run(t, "many", environment)
}

// operate runs an operator until the tests end or it is stopped.
func operate(t *testing.T, flags ...string) *controlplane.Process {
	t.Helper()
	operator, err := cluster.Operate(t.Context(), "operator", append(flags, "--capture-grace=1s")...)
	if err != nil {
		t.Fatal(err)
	}
	return operator
}

// run runs a script.
func run(t *testing.T, script string, environment []string) {
	t.Run(script, func(t *testing.T) {
		node := exec.CommandContext(t.Context(), "node", "--test", "--test-reporter=spec", script+".test.mjs")
		node.Env = append(os.Environ(), environment...)
		node.Stdout, node.Stderr = os.Stdout, os.Stderr
		if err := node.Run(); err != nil {
			t.Error(err)
		}
	})
}
