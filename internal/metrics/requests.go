// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

const endpointLabel = "endpoint"

var requestDuration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
	Name: "joberror_api_request_duration_seconds", Help: "Duration of requests to the aggregated API.",
	Buckets: prometheus.ExponentialBuckets(0.005, 2.5, 11),
}, []string{endpointLabel, "method", "code"})

var (
	requestMemory = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "joberror_api_request_memory_bytes", Help: "Memory that is reserved for requests to the aggregated API in progress.",
	})
	refusedRequests = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_api_refused_requests_total", Help: "Requests to the aggregated API that were refused because too many were in progress.",
	}, []string{"reason"})
)

func init() {
	metrics.Registry.MustRegister(requestDuration, requestMemory, refusedRequests)
}

// ReserveMemory adds to the memory that is reserved for requests, in bytes. A negative number
// gives memory back.
func ReserveMemory(bytes int64) { requestMemory.Add(float64(bytes)) }

// RequestRefused counts a request that was refused. There must be few reasons.
func RequestRefused(reason string) { refusedRequests.WithLabelValues(reason).Inc() }

// ExportRefusals exports 0 for the reasons: Prometheus sees an increase only if it knows an earlier
// value.
func ExportRefusals(reasons ...string) {
	for _, reason := range reasons {
		refusedRequests.WithLabelValues(reason)
	}
}

// MeasureRequests measures the requests that a handler serves, by endpoint. There must be
// few endpoints.
func MeasureRequests(handler http.Handler, endpoint func(context.Context) string) http.Handler {
	return promhttp.InstrumentHandlerDuration(requestDuration, handler, promhttp.WithLabelFromCtx(endpointLabel, endpoint))
}
