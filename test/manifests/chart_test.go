// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package manifests

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// matchManifests sets the values with which the chart differs from the manifests only in
// the namespace, which Helm creates.
var matchManifests = []string{"--set=image.tag=latest,crds.keep=false"}

// allButArchive turns on what is off by default, except the archive. The component of the archive
// reads a ConfigMap instead of values.
const allButArchive = "--set=prometheus.enabled=true,dashboard.enabled=true,certManager.enabled=true,captureLogs.enabled=true,retry.indexes=true"

func TestChartInstallsTheSameAsTheManifests(t *testing.T) {
	t.Parallel()
	dist := func(file string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(cluster.Root, "dist", file))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	base := filepath.Join(cluster.Root, "config", "default")
	const mutatingPolicies = "--api-versions=admissionregistration.k8s.io/v1/MutatingAdmissionPolicy"
	for _, tc := range []struct {
		name      string
		manifests string
		values    []string
	}{
		{"dist/install.yaml", dist("install.yaml"), []string{mutatingPolicies}},
		{"dist/install-before-1.36.yaml", dist("install-before-1.36.yaml"), nil},
		{"cert-manager", cluster.Kubectl(t, "kustomize", cluster.Overlay(t, base, "cert-manager")), []string{mutatingPolicies, "--set=certManager.enabled=true"}},
		{"prometheus", cluster.Kubectl(t, "kustomize", cluster.Overlay(t, base, "prometheus")), []string{mutatingPolicies, "--set=prometheus.enabled=true"}},
		{"capture-logs", cluster.Kubectl(t, "kustomize", cluster.Overlay(t, base, "capture-logs")), []string{mutatingPolicies, "--set=captureLogs.enabled=true"}},
		{"retry-indexes", cluster.Kubectl(t, "kustomize", cluster.Overlay(t, base, "retry-indexes")), []string{mutatingPolicies, "--set=retry.indexes=true"}},
		{"dashboard", cluster.Kubectl(t, "kustomize", cluster.Overlay(t, base, "dashboard")), []string{mutatingPolicies, "--set=dashboard.enabled=true"}},
		{"all", cluster.Kubectl(t, "kustomize", cluster.Overlay(t, base, "prometheus", "dashboard", "cert-manager", "capture-logs", "retry-indexes")), []string{mutatingPolicies, allButArchive}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			compareObjects(t, parse(t, tc.manifests), render(t, append(tc.values, matchManifests...)...))
		})
	}
}

// compareObjects fails the test if the chart does not render exactly the objects of the
// manifests.
func compareObjects(t *testing.T, manifests, chart objects) {
	t.Helper()
	if len(manifests) < 20 {
		t.Fatalf("found %d objects in the manifests, want at least 20", len(manifests))
	}
	delete(manifests, "Namespace joberror-system")
	for key, want := range manifests {
		got, found := chart[key]
		if !found {
			t.Errorf("the chart lacks %s", key)
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s of the chart =\n%s\nwant that of the manifests\n%s", key, toYAML(t, got), toYAML(t, want))
		}
	}
	for key := range chart {
		if _, found := manifests[key]; !found {
			t.Errorf("the chart has %s, but the manifests don't", key)
		}
	}
}

// toYAML returns an object as YAML.
func toYAML(t *testing.T, object any) string {
	t.Helper()
	data, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestChartKeepsTheCRDsAndHasNoNamespace(t *testing.T) {
	t.Parallel()
	crds := 0
	for key, object := range render(t) {
		if strings.HasPrefix(key, "Namespace ") {
			t.Errorf("the chart has %s, but --create-namespace creates it", key)
		}
		if strings.HasPrefix(key, "CustomResourceDefinition ") {
			crds++
			obj := unstructured.Unstructured{Object: object}
			if got := obj.GetAnnotations()["helm.sh/resource-policy"]; got != "keep" {
				t.Errorf("resource policy of %s = %q, want keep", key, got)
			}
		}
	}
	if crds != 3 {
		t.Errorf("found %d CustomResourceDefinitions, want 2", crds)
	}
}

func TestValuesReachTheDeployment(t *testing.T) {
	t.Parallel()
	const pod = "spec.template.spec."
	for _, tc := range []struct{ set, path, want string }{
		{"replicas=3", "spec.replicas", "3"},
		{"image.repository=r/o,image.tag=v2", pod + "containers.image", "r/o:v2"},
		{"image.repository=r/o", pod + "containers.image", "r/o:v0.1.0"},
		{"image.pullPolicy=Always", pod + "containers.imagePullPolicy", "Always"},
		{"image.pullSecrets[0].name=s", pod + "imagePullSecrets", "- name: s"},
		{"args[0]=--retention=7d", pod + "containers.args", "- --leader-elect\n- --cert-dir=/certs\n- --metrics-bind-address=:8443\n- --retention=7d"},
		{"resources.limits.memory=2Gi", pod + "containers.resources", "limits:\n  memory: 2Gi"},
		{"nodeSelector.a=b", pod + "nodeSelector", "a: b"},
		{"tolerations[0].operator=Exists", pod + "tolerations", "- operator: Exists"},
		{"affinity.podAffinity.x=y", pod + "affinity", "podAffinity:\n  x: \"y\""},
		{"priorityClassName=p", pod + "priorityClassName", "p"},
		{"priorityClassName=", pod + "priorityClassName", "null"},
		{"replicas=null", "spec.replicas", "2"},
		{"args=null", pod + "containers.args", "- --leader-elect\n- --cert-dir=/certs\n- --metrics-bind-address=:8443"},
		{"podLabels=null", "spec.template.metadata.labels", "app.kubernetes.io/name: joberror-operator"},
		{"podLabels.app\\.kubernetes\\.io/name=x", "spec.template.metadata.labels", "app.kubernetes.io/name: joberror-operator"},
		{"podAnnotations=null", "spec.template.metadata.annotations", "kubectl.kubernetes.io/default-container: operator"},
		{"podAnnotations.a=b", "spec.template.metadata.annotations", "a: b\nkubectl.kubernetes.io/default-container: operator"},
		{"archive.url=s3://b,archive.resolvedAfter=7d", pod + "containers.args", "- --leader-elect\n- --cert-dir=/certs\n- --metrics-bind-address=:8443\n- --archive-url=s3://b\n- --archive-resolved-after=7d"},
		{"archive.resolvedAfter=7d", pod + "containers.args", "- --leader-elect\n- --cert-dir=/certs\n- --metrics-bind-address=:8443"},
		{"archive.url=s3://b,archive.secretName=s", pod + "containers.envFrom", "- secretRef:\n    name: s"},
		{"archive.url=s3://b,archive.caSecret=ca", pod + "containers.env", "- name: AWS_CA_BUNDLE\n  value: /archive-ca/ca.crt"},
		{"archive.url=s3://b,archive.caSecret=ca", pod + "containers.volumeMounts", "- mountPath: /certs\n  name: certs\n- mountPath: /archive-ca\n  name: archive-ca\n  readOnly: true"},
		{"archive.url=s3://b,archive.caSecret=ca", pod + "volumes", "- emptyDir:\n    medium: Memory\n    sizeLimit: 1Mi\n  name: certs\n- name: archive-ca\n  secret:\n    secretName: ca"},
		{"archive=null", pod + "containers.env", "null"},
		{"podLabels.a=b", "spec.template.metadata.labels", "a: b\napp.kubernetes.io/name: joberror-operator"},
	} {
		t.Run(tc.set+" "+tc.path, func(t *testing.T) {
			t.Parallel()
			got := valueAt(t, render(t, "--set="+tc.set)["Deployment joberror-operator"], strings.Split(tc.path, ".")...)
			if got := strings.TrimSpace(toYAML(t, got)); got != tc.want {
				t.Errorf("%s =\n%s\nwant\n%s", tc.path, got, tc.want)
			}
		})
	}
}

// valueAt returns the value at a path of an object. It takes the first item of each list.
func valueAt(t *testing.T, object any, path ...string) any {
	t.Helper()
	for _, step := range path {
		if list, ok := object.([]any); ok {
			object = list[0]
		}
		fields, ok := object.(map[string]any)
		if !ok {
			t.Fatalf("the object has no %s", strings.Join(path, "."))
		}
		object = fields[step]
	}
	return object
}

func TestPrometheusObjectsCarryTheLabels(t *testing.T) {
	t.Parallel()
	objects := render(t, "--set=prometheus.enabled=true,prometheus.labels.release=p")
	for _, key := range []string{"ServiceMonitor joberror-operator", "PrometheusRule joberror-operator", "PrometheusRule joberror-user-alerts"} {
		labels := strings.TrimSpace(toYAML(t, valueAt(t, objects[key], "metadata", "labels")))
		if labels != "app.kubernetes.io/part-of: joberror\nrelease: p" {
			t.Errorf("labels of %s =\n%s\nwant those of the values", key, labels)
		}
	}
}

func TestNamesAnInvalidValue(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		args []string
		want string
	}{
		{[]string{"--set=replicas=0"}, "at '/replicas': minimum: got 0, want 1"},
		{[]string{"--set=certmanager.enabled=true"}, "additional properties 'certmanager' not allowed"},
		{[]string{"--set=args[0]=retention"}, "at '/args/0': 'retention' does not match pattern '^--'"},
		{[]string{`--set=podAnnotations.inject=false`}, "at '/podAnnotations/inject': got boolean, want string"},
		{[]string{"--set=image.repository=r@sha256:1"}, "at '/image/repository': 'r@sha256:1' does not match pattern '^[^@]+$'"},
		{[]string{"--set=image.pullPolicy=Sometimes"}, "at '/image/pullPolicy': value must be one of '', 'Always', 'IfNotPresent', 'Never'"},
		{[]string{"--set=prometheus.userAlerts.jobErrorsOpen.threshold=0"}, "at '/prometheus/userAlerts/jobErrorsOpen/threshold': minimum: got 0, want 1"},
		{[]string{"--set=prometheus.userAlerts.cronJobFailing.for=soon"}, "at '/prometheus/userAlerts/cronJobFailing/for': 'soon' does not match pattern '^([0-9]+(ms|s|m|h|d|w))+$'"},
		{[]string{"--set=prometheus.userAlerts.interval=5m"}, "at '/prometheus/userAlerts/interval': '5m' does not match pattern"},
		{[]string{"--set=archive.url=s3://key:secret@b"}, "at '/archive/url': 's3://key:secret@b' does not match pattern"},
		{[]string{"--namespace=elsewhere"}, "the release's namespace must be joberror-system, not elsewhere"},
	} {
		_, err := helm(t, append(append([]string{"template", "x", chart()}, inRelease...), tc.args...)...)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("error of %v = %v, want %q", tc.args, err, tc.want)
		}
	}
}

func TestChartLeavesOutTheRightsToRetry(t *testing.T) {
	t.Parallel()
	all := render(t)
	for value, name := range map[string]string{"retry.enabled": "joberror-retry", "retry.templates": "joberror-retry-templates"} {
		without := render(t, "--set="+value+"=false")
		for _, key := range []string{"ClusterRole " + name, "ClusterRoleBinding " + name} {
			if _, found := all[key]; !found {
				t.Errorf("the chart lacks %s", key)
			}
			if _, found := without[key]; found {
				t.Errorf("the chart has %s with %s=false", key, value)
			}
		}
		if len(all)-len(without) != 2 {
			t.Errorf("%s=false leaves out %d objects, want 2", value, len(all)-len(without))
		}
	}
}

func TestTheArchiveIsAComponent(t *testing.T) {
	t.Parallel()
	text := cluster.Kubectl(t, "kustomize", cluster.Overlay(t, filepath.Join(cluster.Root, "config", "default"), "archive"))
	deployment := parse(t, text)["Deployment joberror-operator"]
	args := toYAML(t, valueAt(t, deployment, "spec", "template", "spec", "containers", "args"))
	if !strings.Contains(args, "- --archive-url=$(ARCHIVE_URL)\n") {
		t.Errorf("the component has the arguments\n%s\nwant the URL from the environment", args)
	}
	from := strings.TrimSpace(toYAML(t, valueAt(t, deployment, "spec", "template", "spec", "containers", "envFrom")))
	if want := "- configMapRef:\n    name: joberror-archive\n- secretRef:\n    name: joberror-archive\n    optional: true"; from != want {
		t.Errorf("the environment is from\n%s\nwant\n%s", from, want)
	}
}

func TestTheArchiveChangesOnlyTheDeployment(t *testing.T) {
	t.Parallel()
	without := render(t, allButArchive)
	everything := render(t, allButArchive, "--set=archive.url=s3://b,archive.resolvedAfter=7d,archive.secretName=s,archive.caSecret=ca")
	deployment := everything["Deployment joberror-operator"]
	args := toYAML(t, valueAt(t, deployment, "spec", "template", "spec", "containers", "args"))
	want := "- --leader-elect\n- --cert-dir=/certs\n- --metrics-bind-address=:8443\n- --manage-certificates=false\n- --capture-log-lines=20\n" +
		"- --archive-url=s3://b\n- --archive-resolved-after=7d\n"
	if args != want {
		t.Errorf("with everything on, the arguments are\n%s\nwant\n%s", args, want)
	}
	delete(everything, "Deployment joberror-operator")
	delete(without, "Deployment joberror-operator")
	if !reflect.DeepEqual(everything, without) {
		t.Error("the archive changes another object than the Deployment")
	}
}
