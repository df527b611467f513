// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// PluginDir builds the kubectl plugin once, and returns the directory with it. The plugin is
// there twice: kubectl completes arguments with the second name.
func (c *Cluster) PluginDir(t testing.TB) string {
	t.Helper()
	c.plugin.Do(func() { c.pluginDir, c.pluginErr = c.buildPlugin() })
	if c.pluginErr != nil {
		t.Fatal(c.pluginErr)
	}
	return c.pluginDir
}

func (c *Cluster) buildPlugin() (string, error) {
	dir := filepath.Join(filepath.Dir(c.binary), "plugin")
	build := exec.Command("go", "build", "-o", filepath.Join(dir, "kubectl-joberrors"), "./cmd/kubectl-joberrors")
	build.Dir = c.Root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the plugin: %w\n%s", err, out)
	}
	return dir, os.Symlink("kubectl-joberrors", filepath.Join(dir, "kubectl_complete-joberrors"))
}

// PathWithPlugin returns the variable PATH with kubectl and the plugin.
func (c *Cluster) PathWithPlugin(t testing.TB) string {
	t.Helper()
	separator := string(os.PathListSeparator)
	return "PATH=" + c.PluginDir(t) + separator + filepath.Dir(c.KubectlPath()) + separator + os.Getenv("PATH")
}
