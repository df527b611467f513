// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
)

// Right is something that a user may or may not do in the namespace.
type Right struct {
	// Action is what the user does with the plugin.
	Action string `json:"action"`
	// Needs holds what RBAC must allow for it.
	Needs []string `json:"needs"`
	// Missing holds what of it RBAC does not allow.
	Missing []string `json:"missing,omitempty"`
	// Role is the ClusterRole that allows it.
	Role string `json:"role"`
	// Error says why it is not known.
	Error string `json:"error,omitempty"`
}

// action is something that users do, with what RBAC must allow for it.
type action struct {
	name, role string
	needs      []authorizationv1.ResourceAttributes
}

// actions holds what users do with the plugin. To RBAC, resolving is "update" on jobs/joberrors.
// A retry starts containers, so it also needs the right to create Jobs.
var actions = []action{
	{"list", "joberror-viewer", []authorizationv1.ResourceAttributes{
		{Verb: "list", Group: "joberror.io", Resource: "joberrors"},
		{Verb: "watch", Group: "joberror.io", Resource: "joberrors"},
	}},
	{"resolve", "joberror-resolver", []authorizationv1.ResourceAttributes{
		{Verb: "update", Group: "resolve.joberror.io", Resource: "jobs", Subresource: "joberrors"},
		{Verb: "patch", Group: "joberror.io", Resource: "joberrors"},
	}},
	{"report", "joberror-reporter", []authorizationv1.ResourceAttributes{
		{Verb: "create", Group: "resolve.joberror.io", Resource: "jobs", Subresource: "joberrors"},
	}},
	{"retry", "joberror-retrier", []authorizationv1.ResourceAttributes{
		{Verb: "create", Group: "resolve.joberror.io", Resource: "jobs", Subresource: "retry"},
		{Verb: "create", Group: "batch", Resource: "jobs"},
	}},
}

// describe returns a right as kubectl auth can-i takes it.
func describe(a authorizationv1.ResourceAttributes) string {
	resource := a.Resource + "." + a.Group
	if a.Subresource != "" {
		resource += "/" + a.Subresource
	}
	return a.Verb + " " + resource
}

// rights decides whether the user may do everything in the namespace.
func rights(f *Facts, _ time.Time) (Status, string) {
	var lacks, roles []string
	for _, r := range f.Rights {
		switch {
		case r.Error != "":
			return Unknown, "ask for your rights: " + r.Error
		case len(r.Missing) > 0:
			lacks = append(lacks, r.Action)
			if !slices.Contains(roles, r.Role) {
				roles = append(roles, r.Role)
			}
		}
	}
	if len(lacks) > 0 {
		return Warning, fmt.Sprintf("you may not %s in namespace %s: ask for the ClusterRole edit, or %s", strings.Join(lacks, ", "), f.Namespace, strings.Join(roles, ", "))
	}
	return OK, fmt.Sprintf("you may list, resolve, report and retry in namespace %s", f.Namespace)
}
