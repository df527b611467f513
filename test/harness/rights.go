// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/internal/attribution"
)

// right is a right that a role grants.
type right struct{ verb, group, resource string }

func (r right) String() string {
	return fmt.Sprintf("%s %s", r.verb, strings.TrimSuffix(r.resource+"."+r.group, "."))
}

// GrantRetryIndexes installs the component config/retry-indexes until the test ends, and waits
// until the operator has its right in a namespace.
func (c *Cluster) GrantRetryIndexes(t testing.TB, namespace string) {
	t.Helper()
	component := filepath.Join(c.Root, "config", "retry-indexes", "role.yaml")
	c.Kubectl(t, "apply", "-f", component)
	t.Cleanup(func() {
		if out, err := c.Run(context.Background(), nil, "delete", "-f", component); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	})
	Eventually(t, func() string {
		out, _ := c.Run(t.Context(), nil, "auth", "can-i", "patch", "jobs", "--subresource=status", "-n", namespace, "--as", attribution.OperatorUser)
		if !strings.Contains(out, "yes") {
			return "the operator has no right to patch jobs/status yet"
		}
		return ""
	})
}

// UnusedRights returns an error that names the rights in the operator's roles that none of
// its requests has used so far.
func (c *Cluster) UnusedRights(ctx context.Context) error {
	granted, err := c.grantedRights(ctx)
	if err != nil {
		return err
	}
	used := map[right]bool{}
	for event, err := range c.auditEvents() {
		if err != nil {
			return err
		}
		if event.User.Username != attribution.OperatorUser || event.ObjectRef == nil || event.ResponseStatus.Code == http.StatusForbidden {
			continue
		}
		resource := strings.TrimSuffix(event.ObjectRef.Resource+"/"+event.ObjectRef.Subresource, "/")
		used[right{event.Verb, event.ObjectRef.APIGroup, resource}] = true
	}
	var unused []string
	for _, r := range granted {
		watched := r
		watched.verb = "watch"
		// A watch needs the right to list if the API server can't stream the initial list.
		if !used[r] && !(r.verb == "list" && used[watched]) {
			unused = append(unused, r.String())
		}
	}
	if len(unused) > 0 {
		return fmt.Errorf("the operator has rights that no test used: %s", strings.Join(unused, ", "))
	}
	return nil
}

// grantedRights returns the rights in the operator's roles.
func (c *Cluster) grantedRights(ctx context.Context) ([]right, error) {
	var rules []rbacv1.PolicyRule
	for _, name := range []string{"joberror-operator", "joberror-retry", "joberror-retry-templates"} {
		var role rbacv1.ClusterRole
		if err := c.Client.Get(ctx, client.ObjectKey{Name: name}, &role); err != nil {
			return nil, err
		}
		rules = append(rules, role.Rules...)
	}
	var roles rbacv1.RoleList
	if err := c.Client.List(ctx, &roles, client.InNamespace(attribution.OperatorNamespace)); err != nil {
		return nil, err
	}
	for _, role := range roles.Items {
		rules = append(rules, role.Rules...)
	}
	var granted []right
	for _, rule := range rules {
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, verb := range rule.Verbs {
					granted = append(granted, right{verb, group, resource})
				}
			}
		}
	}
	return slices.Compact(granted), nil
}
