// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"joberror.io/operator/test/harness"
)

// withoutPolicies is the label of the namespaces in which the MutatingAdmissionPolicies do
// not apply, as in a cluster before Kubernetes 1.36.
const withoutPolicies = "test.joberror.io/without-mutating-policies"

// exemptNamespaces makes the MutatingAdmissionPolicies skip the namespaces with the label.
var exemptNamespaces = sync.OnceValue(func() error {
	selector, err := json.Marshal(map[string]any{"spec": map[string]any{"matchResources": map[string]any{"namespaceSelector": map[string]any{
		"matchExpressions": []any{map[string]any{"key": withoutPolicies, "operator": "DoesNotExist"}}}}}})
	if err != nil {
		return err
	}
	for _, name := range []string{"joberror-defaults", "joberrorresolution-defaults"} {
		patch := []string{"patch", "mutatingadmissionpolicybinding", name, "--type=merge", "-p", string(selector)}
		if _, err := cluster.Run(context.Background(), nil, patch...); err != nil {
			return err
		}
	}
	return nil
})

// inBothForms runs a test in a namespace in which the MutatingAdmissionPolicies fill in the
// names, and in one in which only the webhooks do.
func inBothForms(t *testing.T, test func(t *testing.T, ns string)) {
	t.Helper()
	forms := map[string]bool{"webhooks": false}
	has, err := cluster.HasMutatingPolicies()
	if has {
		forms["policies"] = true
		err = exemptNamespaces()
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, applies := range forms {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			if !applies {
				patch := harness.MergePatch(`{"metadata":{"labels":{"` + withoutPolicies + `":""}}}`)
				if err := cluster.Client.Patch(t.Context(), harness.Get(t, cluster.Client, "", ns, &corev1.Namespace{}), patch); err != nil {
					t.Fatal(err)
				}
			}
			cluster.WaitPolicies(t, ns, applies)
			test(t, ns)
		})
	}
}
