// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/internal/attribution"
)

// right is one that a role gives.
type right struct{ verb, group, resource string }

func (r right) String() string {
	return fmt.Sprintf("%s %s", r.verb, strings.TrimSuffix(r.resource+"."+r.group, "."))
}

// UnusedRights returns an error that names the rights of the operator's roles
// that no request of its has used so far.
func (c *Cluster) UnusedRights(ctx context.Context) error {
	granted, err := c.grantedRights(ctx)
	if err != nil {
		return err
	}
	used := map[right]bool{}
	for event, err := range c.audited() {
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
		// What is watched is listed first, where the API server can't send the
		// beginning of a watch as a stream.
		if !used[r] && !(r.verb == "list" && used[watched]) {
			unused = append(unused, r.String())
		}
	}
	if len(unused) > 0 {
		return fmt.Errorf("the operator has rights that no test made use of: %s", strings.Join(unused, ", "))
	}
	return nil
}

// grantedRights are those of the roles that bear the operator's name.
func (c *Cluster) grantedRights(ctx context.Context) ([]right, error) {
	var cluster rbacv1.ClusterRole
	if err := c.Client.Get(ctx, client.ObjectKey{Name: "joberror-operator"}, &cluster); err != nil {
		return nil, err
	}
	var roles rbacv1.RoleList
	if err := c.Client.List(ctx, &roles, client.InNamespace(attribution.OperatorNamespace)); err != nil {
		return nil, err
	}
	rules := cluster.Rules
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
