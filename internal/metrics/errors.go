// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

const namespaceLabel = "namespace"

var (
	templatesNotKept = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_templates_not_kept_total", Help: "Templates of failed Jobs that were not kept, because their namespace has too many.",
	}, []string{namespaceLabel})
	captured = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_captured_total", Help: "Failures of Jobs that were recorded or counted, by class and code.",
	}, []string{namespaceLabel, "class", "code"})
	suppressed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_suppressed_total", Help: "Failures over the limit of their Job, which were counted instead of recorded one by one.",
	}, []string{namespaceLabel})
	dropped = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_capture_dropped_total", Help: "Failures of Jobs that were seen but lost, because too many were waiting to be recorded or their namespace refused the record.",
	}, []string{namespaceLabel})
	refused = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_capture_refused_total", Help: "Attempts to record a failure that the API server refused, by the reason.",
	}, []string{namespaceLabel, "reason"})
	captureDuration = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "joberror_capture_duration_seconds", Help: "Time from when a failure was seen until it was recorded.",
		Buckets: prometheus.ExponentialBuckets(0.005, 4, 9),
	})
	reported = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_reported_total", Help: "Occurrences of records that Jobs reported, in a request or in the termination message of a container.",
	}, []string{namespaceLabel})
	resolved = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_resolved_total", Help: "JobErrors that were resolved, by the reason of their condition.",
	}, []string{namespaceLabel, "reason"})
	resolveDuration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "joberror_resolve_duration_seconds", Help: "Time from when an error happened until it was resolved, by the reason of its condition.",
		Buckets: []float64{60, 10 * 60, 3600, 6 * 3600, 24 * 3600, 3 * 24 * 3600, 7 * 24 * 3600, 30 * 24 * 3600},
	}, []string{"reason"})
	expired = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_expired_total", Help: "JobErrors that were deleted because they had expired.",
	}, []string{namespaceLabel})
	trimmed = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_trimmed_total", Help: "JobErrors that were deleted before they expired, because of the limit of their CronJob, their Job or their namespace.",
	}, []string{namespaceLabel, "scope"})
)

// byNamespace holds the counters with the label of a namespace.
var byNamespace = []*prometheus.CounterVec{captured, suppressed, dropped, refused, reported, resolved, expired, trimmed, templatesNotKept}

func init() {
	metrics.Registry.MustRegister(captureDuration, resolveDuration)
	for _, counter := range byNamespace {
		metrics.Registry.MustRegister(counter)
	}
}

// Captured counts a failure of a Job and observes the delay between when it was seen and
// when it was recorded. The codes come from Kubernetes or are exit codes.
func Captured(namespace, class, code string, delay time.Duration) {
	captured.WithLabelValues(namespace, class, code).Inc()
	captureDuration.Observe(delay.Seconds())
}

// Reported counts occurrences of records that a Job reported.
func Reported(namespace string, occurrences int) {
	reported.WithLabelValues(namespace).Add(float64(occurrences))
}

// Suppressed counts a failure over the limit of its Job.
func Suppressed(namespace string) { suppressed.WithLabelValues(namespace).Inc() }

// Dropped counts failures that were seen but lost.
func Dropped(namespace string, failures int) {
	dropped.WithLabelValues(namespace).Add(float64(failures))
}

// Refused counts an attempt to record a failure that the API server refused. From then on,
// the number of failures that the namespace lost is exported, too.
func Refused(namespace, reason string) {
	refused.WithLabelValues(namespace, reason).Inc()
	dropped.WithLabelValues(namespace).Add(0)
}

// Resolved counts a JobError that was resolved, and observes the time since the error happened. A
// createdAt may be a little in the future.
func Resolved(namespace, reason string, age time.Duration) {
	resolved.WithLabelValues(namespace, reason).Inc()
	resolveDuration.WithLabelValues(reason).Observe(max(0, age.Seconds()))
}

// Expired counts a JobError that was deleted because it had expired.
func Expired(namespace string) { expired.WithLabelValues(namespace).Inc() }

// Trimmed counts JobErrors that were deleted because of the limit of a scope.
func Trimmed(namespace, scope string, count int) {
	trimmed.WithLabelValues(namespace, scope).Add(float64(count))
}

// TemplateNotKept counts a template of a failed Job that was not kept, because the namespace
// has too many.
func TemplateNotKept(namespace string) { templatesNotKept.WithLabelValues(namespace).Inc() }
