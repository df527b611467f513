// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/test/harness"
)

// Every aggregated API has this trap, which docs/operations.md describes: while no replica
// answers, no namespace of the cluster can be deleted.
func TestNamespaceDeletionWaitsWithoutReplicas(t *testing.T) {
	ns := &corev1.Namespace{}
	ns.Name = cluster.Namespace(t)
	kubectl(t, "scale", deployment, "--replicas=0")
	t.Cleanup(func() { restore(t) })
	if out, err := cluster.Run(t.Context(), nil, "wait", "apiservice/v1.resolve.joberror.io", "--for=condition=Available=False", "--timeout=120s"); err != nil {
		t.Fatal(out, err)
	}
	harness.Create(t, cluster.Client, harness.JobError(ns.Name, "e", "job"))
	if err := cluster.Client.Delete(t.Context(), ns); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, func() string {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(ns), ns); err != nil {
			t.Fatalf("the namespace did not wait for the APIService: %v", err)
		}
		for _, c := range ns.Status.Conditions {
			if c.Type == corev1.NamespaceDeletionDiscoveryFailure && c.Status == corev1.ConditionTrue && strings.Contains(c.Message, "resolve.joberror.io") {
				return ""
			}
		}
		return "no condition of the namespace names the APIService"
	})
	if _, err := cluster.Run(t.Context(), nil, "delete", "apiservice", "v1.resolve.joberror.io"); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, func() string {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(ns), ns); !apierrors.IsNotFound(err) {
			return "the namespace is not deleted yet"
		}
		return ""
	})
}

// restore installs the operator again and waits until it serves.
func restore(t *testing.T) {
	t.Helper()
	if err := cluster.Reinstall(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
}
