// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"os"
	"path/filepath"
)

// version returns the minor version of Kubernetes that the environment variable KUBERNETES
// chooses, as in make test-version. It is empty for the version of hack/assets/go.mod.
func version() string { return os.Getenv("KUBERNETES") }

// assets returns the directory of the control plane's binaries.
func (c *Cluster) assets() string {
	dir := filepath.Join(c.Root, "bin", "assets")
	if version() != "" {
		dir += "-" + version()
	}
	return dir
}

// Installer returns the path of the manifest file that installs the operator on this
// version of Kubernetes.
func (c *Cluster) Installer() string { return filepath.Join(c.Root, "dist", "install.yaml") }

// Kustomization returns the path of the kustomization for this version of Kubernetes.
func (c *Cluster) Kustomization() string { return filepath.Join(c.Root, "config", "default") }
