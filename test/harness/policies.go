// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package harness

import (
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// GarbageCollector is the user of the garbage collector. The webhooks that fill in names
// skip it.
const GarbageCollector = "system:serviceaccount:kube-system:generic-garbage-collector"

// HasMutatingPolicies reports whether the API server has MutatingAdmissionPolicies, as it
// does from Kubernetes 1.36 on.
func (c *Cluster) HasMutatingPolicies() (bool, error) {
	kind := schema.GroupKind{Group: "admissionregistration.k8s.io", Kind: "MutatingAdmissionPolicy"}
	_, err := c.Client.RESTMapper().RESTMapping(kind, "v1")
	if meta.IsNoMatchError(err) {
		return false, nil
	}
	return err == nil, err
}

// MutatingPolicyKinds returns the kinds of MutatingAdmissionPolicies and their bindings, each
// after a comma, for kubectl get. It is empty if the API server does not have them.
func (c *Cluster) MutatingPolicyKinds(t testing.TB) string {
	t.Helper()
	has, err := c.HasMutatingPolicies()
	if err != nil {
		t.Fatal(err)
	}
	if !has {
		return ""
	}
	return ",mutatingadmissionpolicies,mutatingadmissionpolicybindings"
}

// Manifests returns the file that installs the operator on the cluster's version.
func (c *Cluster) Manifests() (string, error) {
	return c.forVersion("dist/install.yaml", "dist/install-before-1.36.yaml")
}

// Kustomization returns the kustomization that installs the operator on the cluster's
// version.
func (c *Cluster) Kustomization() (string, error) {
	return c.forVersion("config/default", "config/before-1.36")
}

// forVersion returns one of two paths in the repository: for a cluster with
// MutatingAdmissionPolicies, or without.
func (c *Cluster) forVersion(with, without string) (string, error) {
	has, err := c.HasMutatingPolicies()
	if has {
		return filepath.Join(c.Root, with), err
	}
	return filepath.Join(c.Root, without), err
}

// As returns a client that acts as a user with all rights. The admission webhooks and
// policies see the user's name.
func (c *Cluster) As(t testing.TB, user string) client.Client {
	t.Helper()
	config := c.Config()
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}}
	as, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return as
}

// WaitPolicies waits until the API server applies the MutatingAdmissionPolicies in a
// namespace, or no longer does. The webhooks skip the garbage collector, so only a policy
// can fill in its name.
func (c *Cluster) WaitPolicies(t testing.TB, namespace string, apply bool) {
	t.Helper()
	garbageCollector := c.As(t, GarbageCollector)
	Eventually(t, func() string {
		je := JobError(namespace, "probe", "job")
		if err := garbageCollector.Create(t.Context(), je, client.DryRunAll); err != nil {
			return err.Error()
		}
		if filledIn := je.Spec.UserID != ""; filledIn != apply {
			return "the API server does not know yet whether the policies apply"
		}
		return ""
	})
}
