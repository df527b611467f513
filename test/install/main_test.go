// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package install tests an installed operator while it is restarted, rotated, upgraded and
// removed.
package install

import (
	"os"
	"testing"

	"joberror.io/operator/test/harness"
)

// An uninstall removes the operator's rights while it still runs, so complaints about them
// in its log don't fail these tests. The end-to-end tests check for them.
var cluster = harness.Cluster{Installed: true, AllowLogErrors: true, FastControllers: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }
