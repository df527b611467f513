// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	apiService = `apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {name: v1.resolve.joberror.io}
spec:
  group: resolve.joberror.io
  groupPriorityMinimum: 100
  service: {name: joberror-operator, namespace: joberror-system, port: %API%}
`
	webhookConfiguration = `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: joberror-operator}
webhooks:
- name: joberrors.joberror.io
  timeoutSeconds: 10
  clientConfig:
    service: {name: joberror-operator, namespace: joberror-system, path: /mutate, port: %WEBHOOK%}
- name: resolutions.joberror.io
  timeoutSeconds: 10
  clientConfig:
    service: {name: joberror-operator, namespace: joberror-system, port: %WEBHOOK%}
`
	service = `apiVersion: v1
kind: Service
metadata: {name: joberror-operator, namespace: joberror-system}
spec: %SPEC%
`
	deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: joberror-operator}
`
	// unrelated holds objects with ports, services and webhooks that stay unchanged.
	unrelated = `apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: joberrors.joberror.io}
spec:
  conversion:
    webhook:
      clientConfig: {service: {name: joberror-operator, port: 443}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {port: "443", ratio: "0.5"}
`
)

var testPorts = OperatorPorts{APIPort: 16443, WebhookPort: 19443, HealthPort: 18081}

// withPorts fills in a manifest's ports.
func withPorts(manifest, api, webhook string) string {
	return strings.NewReplacer("%API%", api, "%WEBHOOK%", webhook).Replace(manifest)
}

func parseObjects(t *testing.T, manifests []byte) []*unstructured.Unstructured {
	t.Helper()
	all, err := Objects(manifests)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestRedirect(t *testing.T) {
	t.Parallel()
	webhookWithout := strings.NewReplacer(", port: %WEBHOOK%", "", "  timeoutSeconds: 10\n", "").Replace(webhookConfiguration)
	for _, tc := range []struct{ name, manifests, exclude, want string }{
		{name: "empty input gives empty output"},
		{name: "an APIService gets the API port",
			manifests: withPorts(apiService, "443", ""), want: withPorts(apiService, "16443", "")},
		{name: "an APIService without a port gets the API port",
			manifests: strings.ReplaceAll(apiService, ", port: %API%", ""), want: withPorts(apiService, "16443", "")},
		{name: "each mutating webhook gets the webhook port",
			manifests: withPorts(webhookConfiguration, "", "443"), want: withPorts(webhookConfiguration, "", "19443")},
		{name: "each webhook with a short timeout gets a long one",
			manifests: strings.ReplaceAll(withPorts(webhookConfiguration, "", "19443"), "timeoutSeconds: 10", "timeoutSeconds: 2"),
			want:      withPorts(webhookConfiguration, "", "19443")},
		{name: "each webhook without a port and a timeout gets both",
			manifests: webhookWithout, want: withPorts(webhookConfiguration, "", "19443")},
		{name: "each validating webhook gets the webhook port",
			manifests: strings.ReplaceAll(webhookWithout, "Mutating", "Validating"),
			want:      strings.ReplaceAll(withPorts(webhookConfiguration, "", "19443"), "Mutating", "Validating")},
		{name: "the Service points to this machine",
			manifests: strings.ReplaceAll(service, "%SPEC%", "{selector: {a: b}, ports: [{port: 443}]}"),
			want:      strings.ReplaceAll(service, "%SPEC%", "{type: ExternalName, externalName: localhost}")},
		{name: "excluded kinds are dropped", manifests: deployment + "---\n" + unrelated, exclude: "Deployment", want: unrelated},
		{name: "unrelated objects stay unchanged", manifests: unrelated, want: unrelated},
		{name: "objects keep their order",
			manifests: strings.Join([]string{unrelated, withPorts(apiService, "443", ""), webhookWithout}, "---\n"),
			want:      strings.Join([]string{unrelated, withPorts(apiService, "16443", ""), withPorts(webhookConfiguration, "", "19443")}, "---\n")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			redirected, err := redirect([]byte(tc.manifests), testPorts, tc.exclude)
			if err != nil {
				t.Fatal(err)
			}
			got, want := parseObjects(t, redirected), parseObjects(t, []byte(tc.want))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("redirect = %v, want %v", got, want)
			}
		})
	}
}

func TestRedirectRejectsInvalidManifests(t *testing.T) {
	t.Parallel()
	for name, manifests := range map[string]string{
		"invalid YAML":                "kind: [",
		"an object without a kind":    "metadata: {name: x}\n",
		"a service of the wrong type": "apiVersion: v1\nkind: X\nwebhooks: [{clientConfig: {service: none}}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if redirected, err := redirect([]byte(manifests), testPorts); err == nil {
				t.Errorf("redirect = %s, want an error", redirected)
			}
		})
	}
}

// As kubectl does right after a CRD was created.
const failsTwice = `#!/bin/sh
echo x >>"$KUBECACHEDIR"
[ "$(wc -l <"$KUBECACHEDIR")" -gt 2 ] || { echo 'error: .status.conditions accessor error: <nil> is of the type <nil>' >&2; exit 1; }
`

func TestWaitEstablishedOutlastsCRDsWithoutConditions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "kubectl"), []byte(failsTwice), 0o755); err != nil {
		t.Fatal(err)
	}
	plane := &Plane{options: Options{Assets: dir, Dir: dir}}
	if err := plane.WaitEstablished(t.Context(), "crd/x"); err != nil {
		t.Error(err)
	}
	calls, err := os.ReadFile(plane.path("cache"))
	if err != nil || strings.Count(string(calls), "x") != 3 {
		t.Errorf("kubectl ran %d times, %v; want 3", strings.Count(string(calls), "x"), err)
	}
}
