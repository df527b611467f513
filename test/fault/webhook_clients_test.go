// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"joberror.io/operator/test/harness"
)

func TestOnlyTheAPIServerReachesTheWebhooks(t *testing.T) {
	ns := cluster.Namespace(t)
	operate(t, "--webhook-client-ca-file="+cluster.WebhookClientCA())
	if je := harness.Create(t, cluster.Client, harness.JobError(ns, "a", "job")); je.Spec.CreatedAt == "" {
		t.Error("createdAt is empty, want the API server to reach the webhook")
	}
	stranger := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // the server's certificate is not tested
	}}
	url := fmt.Sprintf("https://127.0.0.1:%d/mutate-joberror-io-v1-joberror", cluster.Ports.WebhookPort)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	response, err := stranger.Do(request)
	if err == nil {
		response.Body.Close()
		t.Fatalf("the webhook answered %s to a client without a certificate", response.Status)
	}
	if !strings.Contains(err.Error(), "certificate required") {
		t.Errorf("error = %v, want that a certificate is required", err)
	}
}
