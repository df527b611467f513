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

func init() {
	metrics.Registry.MustRegister(requestDuration)
}

// MeasureRequests measures the requests that a handler serves, by endpoint. There must be
// few endpoints.
func MeasureRequests(handler http.Handler, endpoint func(context.Context) string) http.Handler {
	return promhttp.InstrumentHandlerDuration(requestDuration, handler, promhttp.WithLabelFromCtx(endpointLabel, endpoint))
}
