// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Overlay writes a kustomization that adds these components of config to one that installs
// the operator, as its users would. It returns the kustomization's directory.
func (c *Cluster) Overlay(t testing.TB, base string, components ...string) string {
	t.Helper()
	dir := realPath(t, t.TempDir())
	config, err := filepath.Rel(dir, realPath(t, filepath.Dir(base)))
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"resources:", "- " + filepath.Join(config, filepath.Base(base)), "components:"}
	for _, component := range components {
		lines = append(lines, "- "+filepath.Join(config, component))
	}
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// realPath resolves the symbolic links in a path. The relative path between two paths is
// only correct without them.
func realPath(t testing.TB, path string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
