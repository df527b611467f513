// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/hack/controlplane"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/test/harness"
)

// report reports n errors that are 10 days old, and waits until they have their status.
func report(t *testing.T, ns string, n int) {
	t.Helper()
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	at := time.Now().Add(-10 * 24 * time.Hour).UTC().Format(time.RFC3339)
	var rows []string
	for i := range n {
		rows = append(rows, fmt.Sprintf(`{"message":"row %d","createdAt":%q}`, i, at))
	}
	harness.Eventually(t, func() string {
		response := harness.Do(t, cluster.Config(), http.MethodPost, harness.JobErrorsPath(ns, "job"), "["+strings.Join(rows, ",")+"]")
		if response.Code != http.StatusCreated {
			return fmt.Sprintf("report: code = %d, want 201", response.Code)
		}
		return ""
	})
	harness.Eventually(t, func() string {
		got := cluster.Errors(t, ns)
		for i := range got {
			if got[i].Status.ExpiresAt == nil {
				return got[i].Name + " has no status yet"
			}
		}
		if len(got) != n {
			return fmt.Sprintf("%d errors, want %d", len(got), n)
		}
		return ""
	})
}

// expectEvent waits for an Event about the operator.
func expectEvent(t *testing.T, want string) {
	t.Helper()
	harness.Eventually(t, func() string {
		out, err := cluster.Run(t.Context(), nil, "events", "-n", "joberror-system", "--for=lease/joberror-operator")
		if err != nil || !strings.Contains(out, want) {
			return fmt.Sprintf("no Event %q: %v\n%s", want, err, out)
		}
		return ""
	})
}

// metrics returns the metrics of an operator that serves them without TLS.
func metrics(t *testing.T, address string) string {
	t.Helper()
	body, err := harness.ReadMetrics(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// expectMetric waits until the metrics of an operator have a line. A counter may be set only after
// its effect can be seen.
func expectMetric(t *testing.T, address, want string) {
	t.Helper()
	harness.Eventually(t, func() string {
		if !strings.Contains(metrics(t, address), "\n"+want+"\n") {
			return fmt.Sprintf("the metrics lack %q", want)
		}
		return ""
	})
}

func TestAMassExpiryIsHeldBackUntilAFlagAllowsIt(t *testing.T) {
	ns := cluster.Namespace(t)
	address, serveMetrics := cluster.MetricsWithoutTLS()
	shorter := append(serveMetrics, "--retention=7d")
	const n = 150
	first := operate(t)
	report(t, ns, n)
	stop(t, first)

	second := operate(t, shorter...)
	expectEvent(t, "MassExpiry")
	for metric, want := range map[string]string{
		`joberror_expiry_held_back{kind="JobError",reason="MassExpiry"}`: fmt.Sprint(n),
		`joberror_expiry_held_back{kind="JobError",reason="ClockSkew"}`:  "0",
	} {
		expectMetric(t, address, metric+" "+want)
	}
	// An ordinary expiry goes on, and what is held back can be used.
	harness.Create(t, cluster.Client, harness.JobError(ns, "ordinary", "job", harness.CreatedAt(time.Now().Add(20*time.Second-7*24*time.Hour))))
	cluster.WaitObserved(t, ns, "ordinary")
	held := cluster.Errors(t, ns)[0]
	if err := cluster.Client.Patch(t.Context(), &held, harness.MergePatch(`{"spec":{"resolved":true}}`)); err != nil {
		t.Fatal(err)
	}
	je := cluster.WaitFor(t, ns, held.Name, func(je *joberrorv1.JobError) bool { return je.Status.ResolvedAt != nil })
	if left := time.Until(je.Status.ExpiresAt.Time); left < 19*24*time.Hour {
		t.Errorf("the error that is held back expires in %s, want 20 days as before", left)
	}
	harness.Eventually(t, func() string {
		je := &joberrorv1.JobError{}
		if err := cluster.Client.Get(t.Context(), harness.Key(ns, "ordinary"), je); !apierrors.IsNotFound(err) {
			return "the error that expires as its status says is not deleted yet"
		}
		return ""
	})
	if got := len(cluster.Errors(t, ns)); got != n {
		t.Errorf("%d errors, want all %d that are held back", got, n)
	}
	stop(t, second)

	operate(t, append(shorter, "--allow-mass-expiry")...)
	cluster.WaitErrors(t, ns, harness.Code)
	expectMetric(t, address, fmt.Sprintf(`joberror_expired_unexpectedly_total{cause="EarlierThanRecorded",kind="JobError"} %d`, n))
}

func TestAFewUnexpectedExpiriesAreAnnounced(t *testing.T) {
	ns := cluster.Namespace(t)
	first := operate(t)
	report(t, ns, 20)
	stop(t, first)
	operate(t, "--retention=7d")
	cluster.WaitErrors(t, ns, harness.Code)
	expectEvent(t, "UnexpectedExpiry")
}

// apiServerWithClock returns a kubeconfig for the operator. Through it, the API server's
// clock is ahead by a duration.
func apiServerWithClock(t *testing.T, ahead time.Duration) string {
	t.Helper()
	config := rest.CopyConfig(cluster.Config())
	config.Impersonate = rest.ImpersonationConfig{UserName: attribution.OperatorUser, Groups: controlplane.OperatorGroups}
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(config.Host)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }, Transport: transport, FlushInterval: -1,
		ModifyResponse: func(r *http.Response) error {
			r.Header.Set("Date", time.Now().Add(ahead).UTC().Format(http.TimeFormat))
			return nil
		},
	})
	t.Cleanup(func() {
		proxy.CloseClientConnections()
		proxy.Close()
	})
	kubeconfig := clientcmdapi.NewConfig()
	kubeconfig.Clusters["proxy"] = &clientcmdapi.Cluster{Server: proxy.URL}
	kubeconfig.Contexts["proxy"] = &clientcmdapi.Context{Cluster: "proxy"}
	kubeconfig.CurrentContext = "proxy"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*kubeconfig, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAWrongClockHoldsBackEveryExpiry(t *testing.T) {
	ns := cluster.Namespace(t)
	address, serveMetrics := cluster.MetricsWithoutTLS()
	first := operate(t, append(serveMetrics, "--allow-mass-expiry", "--kubeconfig="+apiServerWithClock(t, -time.Hour))...)
	expiresAt := time.Now().Add(15 * time.Second).Truncate(time.Second)
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job", harness.CreatedAt(expiresAt.Add(-30*24*time.Hour))))
	cluster.WaitObserved(t, ns, "e")
	harness.Eventually(t, func() string {
		if left := time.Until(expiresAt); left > 0 {
			return fmt.Sprintf("the error expires in %s", left)
		}
		if strings.Contains(metrics(t, address), "\njoberror_expiry_held_back{kind=\"JobError\",reason=\"ClockSkew\"} 0\n") {
			return "no error is held back yet"
		}
		return ""
	})
	expectEvent(t, "ClockSkew")
	cluster.WaitErrors(t, ns, func(je *joberrorv1.JobError) string { return je.Name }, "e")
	stop(t, first)
	operate(t)
	cluster.WaitErrors(t, ns, harness.Code)
}
