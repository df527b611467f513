// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package image pins down what holds of the operator as its image has it: a
// static binary in an empty root that it can't write, run by a user without
// rights.
package image

import (
	"os"
	"testing"

	"joberror.io/operator/test/harness"
)

var cluster = harness.Cluster{Installed: true, Image: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }
