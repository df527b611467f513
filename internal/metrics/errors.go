// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

const namespaceLabel = "namespace"

var (
	captured = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_captured_total", Help: "Failures of Jobs that were recorded or counted, by their class and code.",
	}, []string{namespaceLabel, "class", "code"})
	suppressed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_suppressed_total", Help: "Failures over the limit of their Job, which were counted and not recorded one by one.",
	}, []string{namespaceLabel})
	dropped = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_capture_dropped_total", Help: "Failures of Jobs that were seen and lost, because too many waited to be recorded.",
	}, []string{namespaceLabel})
	captureDuration = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "joberror_capture_duration_seconds", Help: "Time from when a failure was seen until it was recorded.",
		Buckets: prometheus.ExponentialBuckets(0.005, 4, 9),
	})
	reported = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_reported_total", Help: "Records that Jobs reported, in a request or in the message of a container that ended, each as often as it is counted.",
	}, []string{namespaceLabel})
	resolved = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_resolved_total", Help: "JobErrors that were resolved, by the reason that their condition gives.",
	}, []string{namespaceLabel, "reason"})
	expired = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_expired_total", Help: "JobErrors that were deleted because their time was over.",
	}, []string{namespaceLabel})
)

func init() {
	metrics.Registry.MustRegister(captured, suppressed, dropped, captureDuration, reported, resolved, expired)
}

// namespaceGone is what the cache calls for a namespace that is gone. What is
// counted of it goes too.
func namespaceGone(obj any) {
	name, err := toolscache.DeletionHandlingObjectToName(obj)
	if err != nil {
		return
	}
	for _, counter := range []*prometheus.CounterVec{captured, suppressed, dropped, reported, resolved, expired} {
		counter.DeletePartialMatch(prometheus.Labels{namespaceLabel: name.Name})
	}
}

// Captured counts a failure of a Job that was recorded this long after it was
// seen. The codes come from Kubernetes or are exit codes.
func Captured(namespace, class, code string, after time.Duration) {
	captured.WithLabelValues(namespace, class, code).Inc()
	captureDuration.Observe(after.Seconds())
}

// Reported counts records that a Job reported, as often as they happened.
func Reported(namespace string, times int) { reported.WithLabelValues(namespace).Add(float64(times)) }

// Suppressed counts a failure over the limit of its Job.
func Suppressed(namespace string) { suppressed.WithLabelValues(namespace).Inc() }

// Dropped counts a failure that was seen and is lost.
func Dropped(namespace string) { dropped.WithLabelValues(namespace).Inc() }

// Resolved counts a JobError that was resolved.
func Resolved(namespace, reason string) { resolved.WithLabelValues(namespace, reason).Inc() }

// Expired counts a JobError whose time was over.
func Expired(namespace string) { expired.WithLabelValues(namespace).Inc() }
