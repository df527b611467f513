// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"strings"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// Managed fields would take as much memory in the API server as the record itself. Only a
// MutatingAdmissionPolicy can drop them.
func TestTheOperatorsRecordsHaveNoManagedFields(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	path := harness.JobErrorsPath(ns, "job")
	harness.Do(t, cluster.Config(), http.MethodPost, path, `{"_id":"e","message":"late"}`).Want(t, http.StatusCreated)
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/e/resolve", "").Want(t, http.StatusCreated)
	resolved := cluster.WaitFor(t, ns, "e", isResolved)
	dropped, err := cluster.HasMutatingPolicies()
	if err != nil {
		t.Fatal(err)
	}
	if got := len(resolved.ManagedFields) == 0; got != dropped {
		t.Errorf("managed fields = %v, want none: %t", resolved.ManagedFields, dropped)
	}

	// A GitOps tool can still take fields over, and the operator leaves them alone.
	manifest := `{"apiVersion":"joberror.io/v1","kind":"JobError","metadata":{"name":"e","namespace":"` + ns + `","labels":{"team":"data"}},"spec":{"_jobId":"job","message":"late"}}`
	if _, err := cluster.Run(t.Context(), strings.NewReader(manifest), "apply", "--server-side", "--field-manager=gitops", "-f", "-"); err != nil {
		t.Fatal(err)
	}
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/e/unresolve", "").Want(t, http.StatusCreated)
	reopened := cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return !je.Spec.Resolved && je.Status.ResolvedAt == nil })
	if reopened.Labels["team"] != "data" || len(reopened.ManagedFields) == 0 {
		t.Errorf("labels = %v, managed fields = %v, want team=data and those of gitops", reopened.Labels, reopened.ManagedFields)
	}
}
