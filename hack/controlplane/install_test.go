// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controlplane

import (
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
  timeoutSeconds: 2
  clientConfig:
    service: {name: joberror-operator, namespace: joberror-system, path: /mutate, port: %WEBHOOK%}
- name: resolutions.joberror.io
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
	// others are objects that have ports, services and webhooks of their own.
	others = `apiVersion: apiextensions.k8s.io/v1
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

var at = Operator{APIPort: 16443, WebhookPort: 19443, HealthPort: 18081}

// ported fills in the ports that a manifest has.
func ported(manifest, api, webhook string) string {
	return strings.NewReplacer("%API%", api, "%WEBHOOK%", webhook).Replace(manifest)
}

func objects(t *testing.T, manifests []byte) []*unstructured.Unstructured {
	t.Helper()
	all, err := Objects(manifests)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPlace(t *testing.T) {
	t.Parallel()
	webhookWithout := strings.ReplaceAll(webhookConfiguration, ", port: %WEBHOOK%", "")
	for _, tc := range []struct{ name, manifests, without, want string }{
		{name: "nothing stays nothing"},
		{name: "an APIService gets the API's port",
			manifests: ported(apiService, "443", ""), want: ported(apiService, "16443", "")},
		{name: "an APIService without a port gets one",
			manifests: strings.ReplaceAll(apiService, ", port: %API%", ""), want: ported(apiService, "16443", "")},
		{name: "each mutating webhook gets the webhooks' port",
			manifests: ported(webhookConfiguration, "", "443"), want: ported(webhookConfiguration, "", "19443")},
		{name: "each webhook without a port gets one",
			manifests: webhookWithout, want: ported(webhookConfiguration, "", "19443")},
		{name: "each validating webhook gets it too",
			manifests: strings.ReplaceAll(webhookWithout, "Mutating", "Validating"),
			want:      strings.ReplaceAll(ported(webhookConfiguration, "", "19443"), "Mutating", "Validating")},
		{name: "the Service leads out of the cluster",
			manifests: strings.ReplaceAll(service, "%SPEC%", "{selector: {a: b}, ports: [{port: 443}]}"),
			want:      strings.ReplaceAll(service, "%SPEC%", "{type: ExternalName, externalName: localhost}")},
		{name: "kinds that are not wanted are left out", manifests: deployment + "---\n" + others, without: "Deployment", want: others},
		{name: "other objects are left alone", manifests: others, want: others},
		{name: "all of them come out in their order",
			manifests: strings.Join([]string{others, ported(apiService, "443", ""), webhookWithout}, "---\n"),
			want:      strings.Join([]string{others, ported(apiService, "16443", ""), ported(webhookConfiguration, "", "19443")}, "---\n")},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			placed, err := place([]byte(tc.manifests), at, tc.without)
			if err != nil {
				t.Fatal(err)
			}
			got, want := objects(t, placed), objects(t, []byte(tc.want))
			if !reflect.DeepEqual(got, want) {
				t.Errorf("placed = %v, want %v", got, want)
			}
		})
	}
}

func TestPlaceRefusesWhatIsNoManifest(t *testing.T) {
	t.Parallel()
	for name, manifests := range map[string]string{
		"what is no YAML":           "kind: [",
		"an object without a kind":  "metadata: {name: x}\n",
		"a webhook without service": "apiVersion: v1\nkind: X\nwebhooks: [{clientConfig: {service: none}}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if placed, err := place([]byte(manifests), at); err == nil {
				t.Errorf("it was placed as %s", placed)
			}
		})
	}
}
