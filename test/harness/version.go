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
