// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The resources of the policies and of their bindings.
const (
	validatingPolicies = "validatingadmissionpolicies"
	validatingBindings = "validatingadmissionpolicybindings"
	mutatingPolicies   = "mutatingadmissionpolicies"
	mutatingBindings   = "mutatingadmissionpolicybindings"
)

// policyNames holds the names of the policies that the manifests install. Each binding has the
// name of its policy.
var policyNames = map[string][]string{
	validatingPolicies: {
		"joberror-created-at", "joberror-jobs", "joberror-owners", "joberror-requested-by", "joberror-reserved",
		"joberror-resolved-by", "joberror-retries", "joberror-status",
	},
	mutatingPolicies: {"joberror-defaults", "joberror-untracked", "joberrorresolution-defaults", "joberrorretry-defaults"},
}

// policies decides whether the API server has the policies. The mutating ones exist from
// Kubernetes 1.36 on; before, the webhook does what they do.
func policies(f *Facts, _ time.Time) (Status, string) {
	missing, status, message := missingPolicies(f, validatingPolicies, validatingBindings)
	if status != "" {
		return status, message
	}
	if len(missing) > 0 {
		return Failed, fmt.Sprintf("the API server lacks %s, so users can forge who resolved an error: apply the manifests again", strings.Join(missing, ", "))
	}
	if f.Admission.Err != nil {
		return unread("the resources of admissionregistration.k8s.io/v1", f.Admission.Err, "the API server is older than 1.33")
	}
	if !slices.Contains(f.Admission.Value, mutatingPolicies) {
		return OK, "the validating policies are installed; the webhook does what the mutating policies do from Kubernetes 1.36 on"
	}
	missing, status, message = missingPolicies(f, mutatingPolicies, mutatingBindings)
	switch {
	case status != "":
		return status, message
	case len(missing) == 2*len(policyNames[mutatingPolicies]):
		return Warning, "the mutating policies are not installed, so names are unknown while the webhook is down: apply dist/install.yaml, or upgrade the Helm release"
	case len(missing) > 0:
		return Failed, fmt.Sprintf("the API server lacks %s: apply the manifests again", strings.Join(missing, ", "))
	}
	return OK, "the validating and the mutating policies are installed"
}

// missingPolicies returns the policies and bindings that do not exist. If it can't look, it
// returns a status and a message.
func missingPolicies(f *Facts, policies, bindings string) (missing []string, status Status, message string) {
	for _, resource := range []string{policies, bindings} {
		found := f.Policies[resource]
		if found.Err != nil {
			status, message := unread(resource, found.Err, "the API server is too old")
			return nil, status, message
		}
		for _, name := range policyNames[policies] {
			if !slices.Contains(found.Value, name) {
				missing = append(missing, resource+"/"+name)
			}
		}
	}
	return missing, "", ""
}
