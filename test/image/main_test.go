// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package image tests the operator as its image runs it: a static binary in an empty,
// read-only root, run by an unprivileged user.
package image

import (
	"os"
	"testing"

	"joberror.io/operator/test/harness"
)

var cluster = harness.Cluster{Installed: true, Image: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }
