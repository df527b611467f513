// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// installedVersions returns all objects of dist/install.yaml, each with its generation, or
// with its resourceVersion if it has no generation.
func installedVersions(t *testing.T) []string {
	t.Helper()
	kinds := "customresourcedefinitions,mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies," +
		"validatingadmissionpolicybindings,clusterroles,clusterrolebindings,roles,rolebindings,flowschemas,networkpolicies,deployments,poddisruptionbudgets" +
		cluster.MutatingPolicyKinds(t)
	lines := strings.Fields(cluster.Kubectl(t, "get", kinds, "-A", "-l", "app.kubernetes.io/part-of=joberror", "-o",
		`jsonpath={range .items[*]}{.kind}/{.metadata.name}@{.metadata.generation}{"\n"}{end}`))
	rights := strings.Fields(cluster.Kubectl(t, "get", "clusterroles,clusterrolebindings,roles,rolebindings", "-A", "-l", "app.kubernetes.io/part-of=joberror", "-o",
		`jsonpath={range .items[*]}{.kind}/{.metadata.name}@{.metadata.resourceVersion}{"\n"}{end}`))
	return append(lines, rights...)
}

func TestReapplyingTheManifestsChangesNothing(t *testing.T) {
	s := startStream(t)
	before, podsBefore := installedVersions(t), cluster.OperatorPods(t)
	if len(before) < 25 {
		t.Fatalf("found %d installed objects, want at least 25: %v", len(before), before)
	}
	restore(t)
	if after := installedVersions(t); !slices.Equal(before, after) {
		t.Errorf("installed objects =\n%v\nwant\n%v", after, before)
	}
	if podsAfter := cluster.OperatorPods(t); !slices.Equal(podsBefore, podsAfter) {
		t.Errorf("pods = %v, want %v", podsAfter, podsBefore)
	}
	s.end(t)
}

// The CRD of the previous version has no spec.generated.
func TestUpgradeKeepsErrorsAndAddsFields(t *testing.T) {
	ns := cluster.Namespace(t)
	cluster.Kubectl(t, "patch", "crd", "joberrors.joberror.io", "--type=json",
		`-p=[{"op":"remove","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/generated"}]`)
	t.Cleanup(func() { restore(t) })
	createWithGenerated := func(name string) string {
		t.Helper()
		je := harness.JobError(ns, name, "job")
		je.Spec.Generated = "value"
		return harness.Create(t, cluster.Client, je).Spec.Generated
	}
	n := 0
	harness.Eventually(t, func() string {
		n++
		if createWithGenerated(fmt.Sprintf("before-%d", n)) != "" {
			return "the API server still knows spec.generated"
		}
		return ""
	})
	old := cluster.WaitObserved(t, ns, fmt.Sprintf("before-%d", n))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "before", "job"))
	cluster.WaitCompleted(t, ns, "before")

	s := startStream(t)
	restore(t)
	harness.Eventually(t, func() string {
		n++
		if createWithGenerated(fmt.Sprintf("after-%d", n)) == "" {
			return "the API server does not know spec.generated yet"
		}
		return ""
	})
	current := cluster.WaitFor(t, ns, old.Name, func(je *joberrorv1.JobError) bool { return je.Spec.Resolved })
	if current.UID != old.UID || current.Spec.Message != old.Spec.Message || current.Spec.CreatedAt != old.Spec.CreatedAt {
		t.Errorf("error = %+v, want the one from before the upgrade: %+v", current, old)
	}
	if err := cluster.Client.Patch(t.Context(), current, harness.MergePatch(`{"spec":{"generated":"later"}}`)); err != nil || current.Spec.Generated != "later" {
		t.Errorf("an error from before the upgrade does not accept the new field: %v", err)
	}
	s.end(t)
}
