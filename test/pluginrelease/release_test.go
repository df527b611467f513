// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package pluginrelease tests what "make plugin" writes: krew accepts its manifest and installs
// its archive, without a network.
package pluginrelease

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const version = "v0.0.1"

// root is the root directory of the repository.
var root = func() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}()

// run runs a program in the root directory and returns its output.
func run(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// release builds the plugin for this platform, and returns the path of its archive and of the
// manifest.
func release(t *testing.T) (archive, manifest string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "plugin")
	run(t, nil, "go", "run", "./hack/plugin", "-version", version, "-out", out,
		"-url", "https://example.com/"+version, "-homepage", "https://example.com", "-platforms", runtime.GOOS+"/"+runtime.GOARCH)
	archives, err := filepath.Glob(filepath.Join(out, "kubectl-joberrors_*"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("archives: %v, %v", archives, err)
	}
	return archives[0], filepath.Join(out, "joberrors.yaml")
}

func TestKrewInstallsThePlugin(t *testing.T) {
	archive, manifest := release(t)
	run(t, nil, filepath.Join(root, "bin/tools/validate-krew-manifest"), "-skip-install", "-manifest", manifest)
	home := t.TempDir()
	env := []string{"KREW_ROOT=" + home, "KREW_NO_UPGRADE_CHECK=1"}
	run(t, env, filepath.Join(root, "bin/tools/krew"), "install", "--manifest", manifest, "--archive", archive)
	out := run(t, env, filepath.Join(home, "bin", "kubectl-joberrors"), "--version")
	if !strings.Contains(out, version) {
		t.Errorf("the installed plugin says %q", out)
	}
	if _, err := os.Stat(filepath.Join(home, "store", "joberrors", version, "LICENSE")); err != nil {
		t.Error(err)
	}
}

// TestKrewChecksTheArchive proves that the checksum in the manifest counts.
func TestKrewChecksTheArchive(t *testing.T) {
	archive, manifest := release(t)
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, append(data, 0), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(root, "bin/tools/krew"), "install", "--manifest", manifest, "--archive", archive)
	cmd.Env = append(os.Environ(), "KREW_ROOT="+t.TempDir(), "KREW_NO_UPGRADE_CHECK=1")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "checksum") {
		t.Errorf("krew installed another archive: %v\n%s", err, out)
	}
}

func TestTwoBuildsAreTheSame(t *testing.T) {
	first, _ := release(t)
	second, _ := release(t)
	one, err := os.ReadFile(first)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile(second)
	if err != nil || !bytes.Equal(one, other) {
		t.Errorf("two builds of the same sources differ (%v)", err)
	}
}
