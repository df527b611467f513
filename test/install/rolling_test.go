// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/internal/attribution"
)

const deployment = "deployment/joberror-operator"

// pods are the names of the operator's pods.
func pods(t *testing.T) []string {
	t.Helper()
	var list corev1.PodList
	if err := cluster.Client.List(t.Context(), &list, client.InNamespace(attribution.OperatorNamespace)); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, pod := range list.Items {
		names = append(names, pod.Name)
	}
	return names
}

// kubectl runs it in the operator's namespace.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return cluster.Kubectl(t, append(args, "-n", attribution.OperatorNamespace)...)
}

func TestARollingRestartFailsNoRequest(t *testing.T) {
	s := startStream(t)
	before := pods(t)
	kubectl(t, "rollout", "restart", deployment)
	kubectl(t, "rollout", "status", deployment, "--timeout=180s")
	kubectl(t, "wait", "pod", before[0], before[1], "--for=delete", "--timeout=60s")
	s.end(t)
	after := pods(t)
	if len(after) != 2 || slices.ContainsFunc(after, func(name string) bool { return slices.Contains(before, name) }) {
		t.Errorf("pods %v became %v", before, after)
	}
}
