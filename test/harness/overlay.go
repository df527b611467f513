// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Overlay writes a kustomization of the operator with components of config, as
// its users would, and returns its folder.
func (c *Cluster) Overlay(t testing.TB, components ...string) string {
	t.Helper()
	folder := realPath(t, t.TempDir())
	config, err := filepath.Rel(folder, realPath(t, filepath.Join(c.Root, "config")))
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"resources:", "- " + filepath.Join(config, "default"), "components:"}
	for _, component := range components {
		lines = append(lines, "- "+filepath.Join(config, component))
	}
	if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(strings.Join(lines, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// realPath is a path without symbolic links: a relative one between two others
// must not go through any.
func realPath(t testing.TB, path string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
