// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"slices"
	"testing"

	"joberror.io/operator/internal/attribution"
)

const deployment = "deployment/joberror-operator"

// kubectl runs kubectl in the operator's namespace.
func kubectl(t *testing.T, args ...string) {
	t.Helper()
	cluster.Kubectl(t, append(args, "-n", attribution.OperatorNamespace)...)
}

func TestRollingRestartFailsNoRequest(t *testing.T) {
	s := startStream(t)
	before := cluster.OperatorPods(t)
	kubectl(t, "rollout", "restart", deployment)
	kubectl(t, "rollout", "status", deployment, "--timeout=180s")
	kubectl(t, "wait", "pod", before[0], before[1], "--for=delete", "--timeout=60s")
	s.end(t)
	after := cluster.OperatorPods(t)
	if len(after) != 2 || slices.ContainsFunc(after, func(name string) bool { return slices.Contains(before, name) }) {
		t.Errorf("pods = %v, want 2 that replace %v", after, before)
	}
}
