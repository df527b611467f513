// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"slices"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestCascadeDeletesCapturedErrors(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), harness.Annotated(joberrorv1.AnnotationDeletionPolicy, "Cascade")))
	awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3")
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	awaitErrors(t, ns)
}

func TestCascadeDeletesReportedErrors(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Annotated(joberrorv1.AnnotationDeletionPolicy, "Cascade")))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return slices.Equal(harness.OwnerKinds(je), []string{"Job"}) })
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	awaitErrors(t, ns)
}

func TestAppliesAChangedDeletionPolicy(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return len(je.OwnerReferences) == 2 })
	for _, step := range []struct {
		patch string
		want  []string
	}{
		{`{"metadata":{"annotations":{"joberror.io/deletion-policy":"Cascade"}}}`, []string{"Job"}},
		{`{"metadata":{"annotations":{"joberror.io/deletion-policy":null}}}`, []string{"Job", "Namespace"}},
	} {
		if err := cluster.Client.Patch(t.Context(), job, harness.MergePatch(step.patch)); err != nil {
			t.Fatal(err)
		}
		cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return slices.Equal(harness.OwnerKinds(je), step.want) })
	}
}
