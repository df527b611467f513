// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestRequestsAreMeasuredByEndpointMethodAndCode(t *testing.T) {
	t.Parallel()
	handler := MeasureRequests(http.NotFoundHandler(), func(context.Context) string { return "test" })
	for range 2 {
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	}
	if n := testutil.CollectAndCount(requestDuration); n != 1 {
		t.Errorf("exported %d histograms, want 1", n)
	}
	if !requestDuration.DeleteLabelValues("test", "get", "404") {
		t.Error("the histogram has no value for test, get, 404")
	}
}

func TestReservedMemoryIsAddedUp(t *testing.T) {
	t.Parallel()
	ReserveMemory(8 << 20)
	ReserveMemory(2 << 20)
	ReserveMemory(-8 << 20)
	if got := testutil.ToFloat64(requestMemory); got != 2<<20 {
		t.Errorf("reserved memory = %f, want %d", got, 2<<20)
	}
}

func TestRefusedRequestsAreCountedByReason(t *testing.T) {
	t.Parallel()
	RequestRefused("Memory")
	RequestRefused("Memory")
	if got := testutil.ToFloat64(refusedRequests.WithLabelValues("Memory")); got != 2 {
		t.Errorf("refused requests = %f, want 2", got)
	}
}
