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
	"testing"

	"joberror.io/operator/test/harness"
)

var cluster = harness.Cluster{FastControllers: true, Flags: []string{"--capture-grace=1s"}}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }

// TestBrowser seeds the control plane and runs the scripts in this directory.
func TestBrowser(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "kubectl-joberrors")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/kubectl-joberrors")
	build.Dir = cluster.Root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the plugin: %v\n%s", err, out)
	}
	seedDemo(t)
	seedMany(t, "many", 10000)
	seedJobs(t, "work")
	for user, role := range map[string]string{"viewer": "view", "editor": "edit"} {
		cluster.Grant(t, "work", user, role)
	}

	scripts, err := filepath.Glob("*.test.mjs")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("find the scripts: %v %v", scripts, err)
	}
	args := append([]string{"--test", "--test-concurrency=1", "--test-reporter=spec"}, scripts...)
	if only := os.Getenv("ONLY"); only != "" {
		args = append([]string{"--test", "--test-concurrency=1", "--test-reporter=spec"}, only)
	}
	node := exec.CommandContext(t.Context(), "node", args...)
	node.Env = append(os.Environ(),
		"PLUGIN="+binary, "KUBECTL="+cluster.KubectlPath(),
		"ADMIN="+cluster.Kubeconfig, "VIEWER="+kubeconfig(t, "viewer"), "EDITOR_OF_WORK="+kubeconfig(t, "editor"), "NOBODY="+kubeconfig(t, "nobody"))
	node.Stdout, node.Stderr = os.Stdout, os.Stderr
	if err := node.Run(); err != nil {
		t.Errorf("run the scripts: %v", err)
	}
}

// kubeconfig returns the path of the kubeconfig of a user.
func kubeconfig(t *testing.T, user string) string {
	t.Helper()
	path, _, err := cluster.KubeconfigFor(user+".kubeconfig", user)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
