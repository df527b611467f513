// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"path/filepath"
	"strings"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// The CRDs come from the releases that hack/assets pins.
func TestAPIServerAcceptsTheOptionalComponents(t *testing.T) {
	for _, product := range []string{"cert-manager", "prometheus"} {
		cluster.Kubectl(t, "apply", "--server-side", "-f", filepath.Join(cluster.Root, "bin", "crds", product))
		cluster.WaitEstablished(t, "-f", filepath.Join(cluster.Root, "bin", "crds", product))
	}
	cluster.Kubectl(t, "create", "namespace", "joberror-system")
	base, err := cluster.Kustomization()
	if err != nil {
		t.Fatal(err)
	}
	out := cluster.Kubectl(t, "apply", "--server-side", "--validate=strict", "--dry-run=server", "-k", cluster.Overlay(t, base, "prometheus", "cert-manager"))
	for _, kind := range []string{"certificate.", "issuer.", "servicemonitor.", "prometheusrule."} {
		if !strings.Contains(out, kind) {
			t.Errorf("the dry run applied no %s, only: %s", kind, out)
		}
	}
}

func TestHelmInstallsUpgradesAndUninstalls(t *testing.T) {
	helmRelease := func(args ...string) string {
		t.Helper()
		out, err := helm(t, append(append(args[:1:1], "joberror-operator"), append(args[1:], inRelease...)...)...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	checkReplicas := func(want string) {
		t.Helper()
		if got := cluster.Kubectl(t, "get", "deployment", "-n", "joberror-system", "joberror-operator", "-o", "jsonpath={.spec.replicas}"); got != want {
			t.Errorf("replicas = %s, want %s", got, want)
		}
	}
	helmRelease("install", chart(), "--create-namespace")
	checkReplicas("2")
	// The chart chooses by what the API server has.
	policies := cluster.MutatingPolicyKinds(t)
	installed := cluster.Kubectl(t, "get", "validatingadmissionpolicies"+policies, "-o", "name")
	if got, want := strings.Contains(installed, "mutatingadmissionpolicy.admissionregistration.k8s.io/joberror-defaults"), policies != ""; got != want {
		t.Errorf("MutatingAdmissionPolicies installed: %t, want %t", got, want)
	}
	cluster.WaitEstablished(t, "crd/joberrors.joberror.io")
	ns := cluster.Namespace(t)
	harness.Eventually(t, func() string {
		// The mutating policies answer 503 until they know the new CRD.
		if err := cluster.Client.Create(t.Context(), harness.JobError(ns, "kept", "job")); err != nil {
			return err.Error()
		}
		return ""
	})
	helmRelease("upgrade", chart(), "--set=replicas=3")
	checkReplicas("3")
	helmRelease("uninstall")
	kinds := "apiservice,deployment,service,mutatingwebhookconfiguration,validatingwebhookconfiguration,clusterrole,validatingadmissionpolicy" + policies
	for _, left := range strings.Fields(cluster.Kubectl(t, "get", kinds, "-A", "-o", "name")) {
		// The API server creates this APIService for the CRDs, which are kept.
		if strings.Contains(left, "joberror") && left != "apiservice.apiregistration.k8s.io/v1.joberror.io" {
			t.Errorf("%s is left after the uninstall", left)
		}
	}
	helmRelease("install", chart())
	checkReplicas("2")
	if err := cluster.Client.Get(t.Context(), harness.Key(ns, "kept"), &joberrorv1.JobError{}); err != nil {
		t.Errorf("get the error from before the reinstall: %v", err)
	}
	helmRelease("upgrade", chart(), "--set=crds.keep=false")
	helmRelease("uninstall")
	// Helm does not wait until the API server has deleted a CRD's objects and then the CRD.
	harness.Eventually(t, func() string {
		for _, left := range strings.Fields(cluster.Kubectl(t, "get", "crd", "-o", "name")) {
			if strings.Contains(left, "joberror") {
				return left + " is left after the uninstall"
			}
		}
		return ""
	})
}
