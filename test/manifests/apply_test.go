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

// The definitions are those of the releases that hack/assets pins.
func TestTheAPIServerTakesWhatIsForOthers(t *testing.T) {
	for _, of := range []string{"cert-manager", "prometheus"} {
		cluster.Kubectl(t, "apply", "--server-side", "-f", filepath.Join(cluster.Root, "bin", "crds", of))
		cluster.Kubectl(t, "wait", "--for=condition=Established", "--timeout=60s", "-f", filepath.Join(cluster.Root, "bin", "crds", of))
	}
	cluster.Kubectl(t, "create", "namespace", "joberror-system")
	out := cluster.Kubectl(t, "apply", "--server-side", "--validate=strict", "--dry-run=server", "-k", cluster.Overlay(t, "prometheus", "cert-manager"))
	for _, kind := range []string{"certificate.", "issuer.", "servicemonitor.", "prometheusrule."} {
		if !strings.Contains(out, kind) {
			t.Errorf("no %s was applied: %s", kind, out)
		}
	}
}

func TestAReleaseIsInstalledUpgradedAndRemoved(t *testing.T) {
	release := func(args ...string) string {
		t.Helper()
		out, err := helm(t, append(append(args[:1:1], "joberror-operator"), append(args[1:], inRelease...)...)...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	deployed := func(want string) {
		t.Helper()
		if got := cluster.Kubectl(t, "get", "deployment", "-n", "joberror-system", "joberror-operator", "-o", "jsonpath={.spec.replicas}"); got != want {
			t.Errorf("%s replicas, want %s", got, want)
		}
	}
	release("install", chart(), "--create-namespace")
	deployed("2")
	cluster.Kubectl(t, "wait", "--for=condition=Established", "--timeout=60s", "crd/joberrors.joberror.io")
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "kept", "job"))
	release("upgrade", chart(), "--set=replicas=3")
	deployed("3")
	release("uninstall")
	kinds := "apiservice,deployment,service,mutatingwebhookconfiguration,validatingwebhookconfiguration,clusterrole,validatingadmissionpolicy"
	for _, left := range strings.Fields(cluster.Kubectl(t, "get", kinds, "-A", "-o", "name")) {
		// The API server makes this one of the definitions, which are kept.
		if strings.Contains(left, "joberror") && left != "apiservice.apiregistration.k8s.io/v1.joberror.io" {
			t.Errorf("left: %s", left)
		}
	}
	release("install", chart())
	deployed("2")
	if err := cluster.Client.Get(t.Context(), harness.Key(ns, "kept"), &joberrorv1.JobError{}); err != nil {
		t.Errorf("an error that was there before: %v", err)
	}
	release("upgrade", chart(), "--set=crds.keep=false")
	release("uninstall")
	if left := cluster.Kubectl(t, "get", "crd", "-o", "name"); strings.Contains(left, "joberror") {
		t.Errorf("left: %s", left)
	}
}
