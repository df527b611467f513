// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package manifests pins down that all ways of installing the operator install
// the same, and that an API server takes it. No operator runs.
package manifests

import (
	"os"
	"testing"

	"joberror.io/operator/test/harness"
)

var cluster = harness.Cluster{Bare: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }
