// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// The operator's cache drops fields that it does not read. Its writes must preserve them.
func TestPreservesAllReportedFields(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	je := harness.JobError(ns, "e", "job")
	je.Annotations = map[string]string{"team": "data"}
	je.Spec.Code, je.Spec.Message = strings.Repeat("c", 200), strings.Repeat("long ", 1000)
	je.Spec.Extract, je.Spec.Generate, je.Spec.Extracted, je.Spec.Generated, je.Spec.Source = "a", "b", "c", "d", "warehouse"
	want := harness.Create(t, cluster.Client, je).Spec
	cluster.WaitObserved(t, ns, "e")
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return len(je.OwnerReferences) == 2 })
	harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	cluster.WaitCompleted(t, ns, "all")
	got := cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return je.Status.Resolution == "all" })
	want.Resolved = true
	if got.Spec != want || got.Annotations["team"] != "data" {
		t.Errorf("spec = %+v, annotations = %v, want %+v and team=data", got.Spec, got.Annotations, want)
	}
}
