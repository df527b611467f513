// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package manifests tests that all ways to install the operator install the same objects,
// and that an API server accepts them. No operator runs.
package manifests

import (
	"os"
	"testing"

	"joberror.io/operator/test/harness"
)

var cluster = harness.Cluster{Bare: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }
