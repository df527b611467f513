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

// installed are all objects of dist/install.yaml with what changes when somebody
// changes them: their generation, or their version where they have none.
func installed(t *testing.T) []string {
	t.Helper()
	kinds := "customresourcedefinitions,mutatingwebhookconfigurations,validatingwebhookconfigurations,validatingadmissionpolicies," +
		"validatingadmissionpolicybindings,clusterroles,clusterrolebindings,roles,rolebindings,flowschemas,networkpolicies,deployments,poddisruptionbudgets"
	lines := strings.Fields(cluster.Kubectl(t, "get", kinds, "-A", "-l", "app.kubernetes.io/part-of=joberror", "-o",
		`jsonpath={range .items[*]}{.kind}/{.metadata.name}@{.metadata.generation}{"\n"}{end}`))
	rights := strings.Fields(cluster.Kubectl(t, "get", "clusterroles,clusterrolebindings,roles,rolebindings", "-A", "-l", "app.kubernetes.io/part-of=joberror", "-o",
		`jsonpath={range .items[*]}{.kind}/{.metadata.name}@{.metadata.resourceVersion}{"\n"}{end}`))
	return append(lines, rights...)
}

func TestApplyingTheManifestsAgainChangesNothing(t *testing.T) {
	s := startStream(t)
	before, ran := installed(t), cluster.OperatorPods(t)
	if len(before) < 25 {
		t.Fatalf("only %d objects are installed: %v", len(before), before)
	}
	restore(t)
	if after := installed(t); !slices.Equal(before, after) {
		t.Errorf("installed was\n%v\nand is\n%v", before, after)
	}
	if now := cluster.OperatorPods(t); !slices.Equal(ran, now) {
		t.Errorf("the pods %v became %v", ran, now)
	}
	s.end(t)
}

// The version before had no spec.generated.
func TestAnUpgradeKeepsTheRecordsAndBringsNewFields(t *testing.T) {
	ns := cluster.Namespace(t)
	cluster.Kubectl(t, "patch", "crd", "joberrors.joberror.io", "--type=json",
		`-p=[{"op":"remove","path":"/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/generated"}]`)
	t.Cleanup(func() { restore(t) })
	with := func(name string) string {
		t.Helper()
		je := harness.JobError(ns, name, "job")
		je.Spec.Generated = "value"
		return harness.Create(t, cluster.Client, je).Spec.Generated
	}
	n := 0
	harness.Eventually(t, func() string {
		n++
		if with(fmt.Sprintf("before-%d", n)) != "" {
			return "the API server still knows spec.generated"
		}
		return ""
	})
	old := cluster.Settled(t, ns, fmt.Sprintf("before-%d", n))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "before", "job"))
	cluster.Completed(t, ns, "before")

	s := startStream(t)
	restore(t)
	harness.Eventually(t, func() string {
		n++
		if with(fmt.Sprintf("after-%d", n)) == "" {
			return "the API server does not know spec.generated yet"
		}
		return ""
	})
	now := cluster.When(t, ns, old.Name, func(je *joberrorv1.JobError) bool { return je.Spec.Resolved })
	if now.UID != old.UID || now.Spec.Message != old.Spec.Message || now.Spec.CreatedAt != old.Spec.CreatedAt {
		t.Errorf("the record was %+v and is %+v", old, now)
	}
	if err := cluster.Client.Patch(t.Context(), now, harness.MergePatch(`{"spec":{"generated":"later"}}`)); err != nil || now.Spec.Generated != "later" {
		t.Errorf("an old record does not take the new field: %v", err)
	}
	s.end(t)
}
