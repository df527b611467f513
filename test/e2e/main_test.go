// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e pins down the operator's behaviour on a real control plane.
package e2e

import (
	"os"
	"testing"

	"joberror.io/operator/test/harness"
)

var cluster = harness.Cluster{Installed: true, AllRights: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }
