// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the behavior of an installed operator on a real control plane.
package e2e

import (
	"os"
	"testing"

	"joberror.io/operator/test/harness"
)

var cluster = harness.Cluster{Installed: true, CheckUnusedRights: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }
