// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package alerts

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/certs"
	"joberror.io/operator/test/harness"
)

// values makes the chart's alerts fast. An alert must go on for longer than a failover takes:
// the lease is valid for 15 seconds, and the next leader needs a moment.
const values = `{"enabled": true, "userAlerts": {"interval": "1s", "keepFiringFor": "40s", "jobErrorsOpen": {"for": "5s"}}}`

// renderChart returns the chart's objects with these values.
func renderChart(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(cluster.Root, "bin", "tools", "helm"), "template", "joberror-operator",
		filepath.Join(cluster.Root, "charts", "joberror-operator"), "--namespace", attribution.OperatorNamespace, "--set-json", "prometheus="+values)
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("render the chart: %v", err)
	}
	objects, err := controlplane.Objects(out)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// spec converts the spec of the chart's object with this kind and name.
func spec(t *testing.T, objects []*unstructured.Unstructured, kind, name string, into any) {
	t.Helper()
	for _, object := range objects {
		if object.GetKind() == kind && object.GetName() == name {
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object["spec"].(map[string]any), into); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("the chart has no %s %s", kind, name)
}

// serviceMonitor holds the fields of a ServiceMonitor's spec that the operator's uses.
type serviceMonitor struct {
	Endpoints []struct {
		HonorLabels     bool   `json:"honorLabels"`
		Scheme          string `json:"scheme"`
		BearerTokenFile string `json:"bearerTokenFile"`
		TLSConfig       struct {
			ServerName string `json:"serverName"`
			CA         struct {
				Secret corev1.SecretKeySelector `json:"secret"`
			} `json:"ca"`
		} `json:"tlsConfig"`
	} `json:"endpoints"`
}

// createScraper creates the account of a Prometheus with the rights that docs/operations.md
// names, and returns its token.
func createScraper(t *testing.T) string {
	t.Helper()
	const account = "system:serviceaccount:monitoring:prometheus-k8s"
	token := func() string {
		return strings.TrimSpace(cluster.Kubectl(t, "create", "token", "prometheus-k8s", "-n", "monitoring"))
	}
	if cluster.Kubectl(t, "get", "namespace", "monitoring", "--ignore-not-found") != "" {
		return token()
	}
	cluster.Kubectl(t, "create", "namespace", "monitoring")
	cluster.Kubectl(t, "create", "serviceaccount", "prometheus-k8s", "-n", "monitoring")
	cluster.Kubectl(t, "apply", "-f", filepath.Join(cluster.Root, "config", "prometheus", "role.yaml"))
	cluster.Kubectl(t, "create", "clusterrolebinding", "prometheus-joberror-metrics",
		"--clusterrole=joberror-metrics-reader", "--serviceaccount=monitoring:prometheus-k8s")
	cluster.Kubectl(t, "create", "rolebinding", "prometheus-joberror-discovery", "-n", attribution.OperatorNamespace,
		"--role=joberror-metrics-discovery", "--serviceaccount=monitoring:prometheus-k8s")
	for _, resource := range []string{"services", "pods", "endpointslices.discovery.k8s.io"} {
		harness.Eventually(t, func() string {
			if out, err := cluster.Run(t.Context(), nil, "auth", "can-i", "watch", resource, "-n", attribution.OperatorNamespace, "--as="+account); err != nil {
				return fmt.Sprintf("%s may not watch %s yet: %v: %s", account, resource, err, out)
			}
			return ""
		})
	}
	return token()
}

// startDiscovery serves the operator's pods to Prometheus. The processes that play the pods
// have no addresses of their own that Kubernetes knows.
func startDiscovery(t *testing.T) string {
	t.Helper()
	type group struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		groups := []group{}
		for _, ports := range cluster.Pods.Ready() {
			groups = append(groups, group{[]string{fmt.Sprintf("127.0.0.1:%d", ports.MetricsPort)}, map[string]string{"namespace": attribution.OperatorNamespace}})
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(groups); err != nil {
			t.Errorf("encode the targets: %v", err)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// startPrometheus starts a Prometheus that scrapes the operator's pods each second as the
// ServiceMonitor says, evaluates the chart's alerts for users, and sends them to an
// Alertmanager.
func startPrometheus(t *testing.T, alertmanager string) *harness.Monitor {
	t.Helper()
	objects := renderChart(t)
	var rules map[string]any
	spec(t, objects, "PrometheusRule", "joberror-user-alerts", &rules)
	var monitor serviceMonitor
	spec(t, objects, "ServiceMonitor", "joberror-operator", &monitor)
	endpoint := monitor.Endpoints[0]
	var secret corev1.Secret
	harness.Get(t, cluster.Client, attribution.OperatorNamespace, endpoint.TLSConfig.CA.Secret.Name, &secret)
	if secret.Name != certs.SecretName || len(secret.Data[endpoint.TLSConfig.CA.Secret.Key]) == 0 {
		t.Fatalf("the Secret %s of the ServiceMonitor has no CA certificate", secret.Name)
	}
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	config := map[string]any{
		"global":     map[string]any{"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
		"rule_files": []string{file("rules.yaml", marshal(t, rules))},
		"alerting": map[string]any{"alertmanagers": []any{map[string]any{
			"static_configs": []any{map[string]any{"targets": []string{strings.TrimPrefix(alertmanager, "http://")}}},
		}}},
		"scrape_configs": []any{map[string]any{
			"job_name":        "joberror-operator",
			"scheme":          endpoint.Scheme,
			"honor_labels":    endpoint.HonorLabels,
			"authorization":   map[string]any{"credentials_file": file("token", []byte(createScraper(t)))},
			"tls_config":      map[string]any{"server_name": endpoint.TLSConfig.ServerName, "ca_file": file("ca.crt", secret.Data[endpoint.TLSConfig.CA.Secret.Key])},
			"http_sd_configs": []any{map[string]any{"url": startDiscovery(t), "refresh_interval": "1s"}},
		}},
	}
	return harness.StartPrometheus(t, string(marshal(t, config)))
}

func marshal(t *testing.T, value any) []byte {
	t.Helper()
	data, err := yaml.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// startAlertmanager starts an Alertmanager that notifies a webhook of each change at once.
func startAlertmanager(t *testing.T, webhook string) *harness.Monitor {
	t.Helper()
	return harness.StartAlertmanager(t, `
route:
  receiver: webhook
  group_by: [alertname, namespace, workload]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
- name: webhook
  webhook_configs:
  - url: `+webhook+`
    send_resolved: true
`)
}
