// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"joberror.io/operator/test/harness"
)

// Anyone may connect to the webhooks by default. Without limits, the first body alone takes
// 3 GiB.
func TestAFloodOfWebhookRequestsIsBounded(t *testing.T) {
	address, serveMetrics := cluster.MetricsWithoutTLS()
	operate(t, serveMetrics...)
	before := memory(t, address)
	wide := review(strings.Repeat("{},", 1<<20) + "{}")
	long := review(`{"name":"` + strings.Repeat("x", 3<<20) + `"}`)
	dense := review(strings.Repeat("{},", 4_500) + "{}")
	codes := flood(t, 200, wide, long, dense, dense, dense)
	t.Logf("requests by status code during the flood: %v", codes)
	const limit = 400 << 20
	if grown := memory(t, address) - before; grown > limit {
		t.Errorf("memory grew by %d MiB, want at most %d", int(grown)>>20, limit>>20)
	}
	for _, after := range []struct {
		name, body string
		code       int
	}{{"wide", wide, http.StatusRequestEntityTooLarge}, {"long", long, http.StatusOK}, {"dense", dense, http.StatusOK}} {
		if codes := flood(t, 1, after.body); codes[after.code] != 1 {
			t.Errorf("after the flood, the %s request has the codes %v, want %d", after.name, codes, after.code)
		}
	}
	if je := harness.Create(t, cluster.Client, harness.JobError(cluster.Namespace(t), "a", "job")); je.Spec.CreatedAt == "" {
		t.Error("createdAt is empty after the flood, want the webhook to answer")
	}
}

// review returns a request of the API server for a JobError with these owners.
func review(owners string) string {
	return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","operation":"CREATE","object":` +
		`{"apiVersion":"joberror.io/v1","kind":"JobError","metadata":{"namespace":"x","name":"x","ownerReferences":[` + owners + `]}}}}`
}

// flood sends the bodies from many clients at the same time and returns how many requests
// got each status code. Code 0 counts the requests whose connection ended.
func flood(t *testing.T, clients int, bodies ...string) map[int]int {
	t.Helper()
	codes, mu, running := map[int]int{}, sync.Mutex{}, sync.WaitGroup{}
	url := fmt.Sprintf("https://127.0.0.1:%d/mutate-joberror-io-v1-joberror", cluster.Ports.WebhookPort)
	for range clients {
		running.Go(func() {
			for _, body := range bodies {
				code := post(t, url, body)
				mu.Lock()
				codes[code]++
				mu.Unlock()
			}
		})
	}
	running.Wait()
	return codes
}

// post sends a body on a connection of its own and returns the status code.
func post(t *testing.T, url, body string) int {
	t.Helper()
	transport := &http.Transport{
		ForceAttemptHTTP2: true, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the server's certificate is not tested
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Error(err)
		return 0
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0
	}
	defer response.Body.Close()
	return response.StatusCode
}

// memory returns the most memory that the operator's Go runtime has held so far.
func memory(t *testing.T, address string) float64 {
	t.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(metrics(t, address)))
	if err != nil {
		t.Fatal(err)
	}
	return families["go_memstats_sys_bytes"].GetMetric()[0].GetGauge().GetValue()
}
