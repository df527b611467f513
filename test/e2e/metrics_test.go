// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/certs"
	"joberror.io/operator/test/harness"
)

// operatorTLS returns a TLS configuration like the API server's: it trusts the CA in the
// operator's Secret.
func operatorTLS(t *testing.T) *tls.Config {
	t.Helper()
	var secret corev1.Secret
	if err := cluster.Client.Get(t.Context(), harness.Key(attribution.OperatorNamespace, certs.SecretName), &secret); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(secret.Data["ca.crt"]) {
		t.Fatal("the Secret has no CA certificate")
	}
	return &tls.Config{RootCAs: roots, ServerName: "joberror-operator.joberror-system.svc"}
}

// getMetrics requests the metrics of one replica with a token, and returns the status code
// and the body.
func getMetrics(t *testing.T, token string) (int, string) {
	t.Helper()
	return getMetricsFrom(t, cluster.Pods.Ready()[0], token)
}

// getMetricsFrom does the same as getMetrics for a given replica.
func getMetricsFrom(t *testing.T, replica controlplane.OperatorPorts, token string) (int, string) {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: operatorTLS(t)}
	defer transport.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("https://127.0.0.1:%d/metrics", replica.MetricsPort), nil)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// createToken creates a service account and returns a token for it.
func createToken(t *testing.T, namespace, account string) string {
	t.Helper()
	cluster.Kubectl(t, "create", "serviceaccount", account, "-n", namespace)
	return strings.TrimSpace(cluster.Kubectl(t, "create", "token", account, "-n", namespace))
}

// alertedMetrics returns the names of the metrics that the alerts use.
func alertedMetrics(t *testing.T) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), filepath.Join(cluster.Root, "bin", "tools", "alerts"),
		filepath.Join(cluster.Root, "config", "prometheus", "alerts.yaml")).Output()
	if err != nil || len(out) == 0 {
		t.Fatalf("read the metrics of the alerts: %v: %s", err, out)
	}
	return strings.Fields(string(out))
}

func TestMetricsRequireTheRightToReadThem(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	scraper, other := createToken(t, ns, "prometheus"), createToken(t, ns, "other")
	cluster.Kubectl(t, "create", "clusterrolebinding", ns, "--clusterrole=joberror-metrics-reader", "--serviceaccount="+ns+":prometheus")
	// The leader counts refused records once there are any.
	cluster.Kubectl(t, "create", "quota", "none", "-n", ns, "--hard=count/joberrors.joberror.io=0")
	harness.Create(t, cluster.Client, harness.Job(ns, "failing", harness.Failing("3")))
	harness.Eventually(t, func() string {
		served := cluster.Kubectl(t, "get", "--raw", "/metrics")
		for _, replica := range cluster.Pods.Ready() {
			code, body := getMetricsFrom(t, replica, scraper)
			if code != http.StatusOK {
				return fmt.Sprintf("status code = %d, want 200: %s", code, body)
			}
			served += body
		}
		for _, want := range alertedMetrics(t) {
			if !strings.Contains(served, "\n# TYPE "+want+" ") {
				return "an alert uses " + want + ", which neither the operator nor the API server serves"
			}
		}
		return ""
	})
	if code, _ := getMetrics(t, ""); code != http.StatusUnauthorized {
		t.Errorf("status code without a token = %d, want 401", code)
	}
	if code, _ := getMetrics(t, other); code != http.StatusForbidden {
		t.Errorf("status code for an account without the right = %d, want 403", code)
	}
}

func TestMetricsCountErrorsAndRequests(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	scraper := createToken(t, ns, "prometheus")
	cluster.Kubectl(t, "create", "clusterrolebinding", ns, "--clusterrole=joberror-metrics-reader", "--serviceaccount="+ns+":prometheus")
	path := createJob(t, ns, "a", "b")
	harness.Create(t, cluster.Client, harness.Job(ns, "failing", harness.Failing("3")))
	harness.Do(t, cluster.Config(), http.MethodPost, path, `[{"message":"c"}]`).Want(t, http.StatusCreated)
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", `{"errors":["a"]}`).Want(t, http.StatusOK)
	want := []string{
		`joberror_open_errors{class="",namespace="` + ns + `",workload="job",workload_kind="Job"} 1`,
		`joberror_open_errors{class="data",namespace="` + ns + `",workload="job",workload_kind="Job"} 1`,
		`joberror_open_errors{class="application",namespace="` + ns + `",workload="failing",workload_kind="Job"} 2`,
		`joberror_captured_total{class="application",code="BackoffLimitExceeded",namespace="` + ns + `"} 1`,
		`joberror_captured_total{class="application",code="ExitCode:3",namespace="` + ns + `"} 1`,
		`joberror_reported_total{namespace="` + ns + `"} 1`,
		`joberror_resolved_total{namespace="` + ns + `",reason="SetByResolution"} 1`,
		`joberror_capture_duration_seconds_count `,
		`joberror_api_request_duration_seconds_count{code="200",endpoint="resolve",method="put"} `,
		`joberror_api_request_memory_bytes `,
		`joberror_api_request_duration_seconds_count{code="201",endpoint="joberrors",method="post"} `,
		`controller_runtime_reconcile_time_seconds_count{controller="capture"} `,
	}
	harness.Eventually(t, func() string {
		// The leader counts errors. Each replica counts the requests that it answered.
		combined := ""
		for _, replica := range cluster.Pods.Ready() {
			_, body := getMetricsFrom(t, replica, scraper)
			combined += body
		}
		return missing(combined, nil, want...)
	})
}
