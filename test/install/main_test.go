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

// The API server is told to call replicas that are on their way out, so its
// complaints about them are no alarm.
var cluster = harness.Cluster{Installed: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }
