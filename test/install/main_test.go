// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package install pins down what holds of an installed operator while it is
// changed: rolled, rotated, upgraded, removed.
package install

import (
	"os"
	"testing"

	"joberror.io/operator/test/harness"
)

// A removal takes the operator's rights away while it still runs, so that its
// complaints about them are no alarm; the end-to-end tests look for those.
var cluster = harness.Cluster{Installed: true, Rough: true, Hurry: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }
