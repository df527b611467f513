// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

const kindLabel = "kind"

var (
	expiryHeldBack = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "joberror_expiry_held_back", Help: "Objects that have expired but are not deleted, by the reason.",
	}, []string{kindLabel, "reason"})
	expiredUnexpectedly = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_expired_unexpectedly_total", Help: "Objects that were deleted at another time than their status had said, by the cause.",
	}, []string{kindLabel, "cause"})
)

func init() { metrics.Registry.MustRegister(expiryHeldBack, expiredUnexpectedly) }

// SetHeldBack sets how many objects of a kind have expired but are not deleted for a reason.
func SetHeldBack(kind, reason string, n int) {
	expiryHeldBack.WithLabelValues(kind, reason).Set(float64(n))
}

// ExpiredUnexpectedly counts an object that was deleted at another time than its status had
// said.
func ExpiredUnexpectedly(kind, cause string) {
	expiredUnexpectedly.WithLabelValues(kind, cause).Inc()
}
