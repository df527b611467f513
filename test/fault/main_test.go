// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package fault tests the operator while parts of the system are down. The tests start
// and stop operators, so they run one after the other.
package fault

import (
	"os"
	"testing"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/test/harness"
)

var cluster = harness.Cluster{FastControllers: true}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }

// operate runs an operator until the test ends or it is stopped.
func operate(t *testing.T, args ...string) *controlplane.Process {
	t.Helper()
	process, err := cluster.Operate(t.Context(), "operator", args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, process) })
	return process
}

// stop stops an operator and waits until it has exited.
func stop(t *testing.T, process *controlplane.Process) {
	t.Helper()
	if err := process.Stop(); err != nil {
		t.Error(err)
	}
}
