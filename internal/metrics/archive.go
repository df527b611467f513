// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var (
	archiveBacklog = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "joberror_archive_backlog", Help: "JobErrors that are to be deleted and wait until they are in the archive.",
	})
	archiveOldest = prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "joberror_archive_oldest_waiting_timestamp_seconds", Help: "Since when the oldest of the waiting JobErrors has waited. 0 if none waits.",
	})
	archiveWritten = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "joberror_archive_written_total", Help: "JobErrors that the archive has acknowledged.",
	})
	archiveFailures = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "joberror_archive_failures_total", Help: "Attempts to write to the archive that failed, by the reason.",
	}, []string{"reason"})
	archiveLost = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "joberror_archive_lost_total", Help: "JobErrors that were deleted without being archived, because too many waited.",
	})
	archiveDuration = prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "joberror_archive_write_duration_seconds", Help: "Time to write a batch to the archive.",
		Buckets: prometheus.ExponentialBuckets(0.01, 4, 8),
	})
)

// SetupArchive exports the metrics of the archive, even if no archive is configured. Failures start
// at 0 for each reason, because Prometheus sees an increase only if it knows an earlier value.
func SetupArchive(reasons []string) {
	for _, reason := range reasons {
		archiveFailures.WithLabelValues(reason)
	}
	metrics.Registry.MustRegister(archiveBacklog, archiveOldest, archiveWritten, archiveFailures, archiveLost, archiveDuration)
}

// SetArchiveBacklog sets how many JobErrors wait for the archive, and since when; the zero time
// if none waits.
func SetArchiveBacklog(n int, oldest time.Time) {
	archiveBacklog.Set(float64(n))
	if oldest.IsZero() {
		archiveOldest.Set(0)
		return
	}
	archiveOldest.Set(float64(oldest.Unix()))
}

// ArchiveWrote counts what the archive has acknowledged, and observes how long that took.
func ArchiveWrote(records int, duration time.Duration) {
	archiveWritten.Add(float64(records))
	archiveDuration.Observe(duration.Seconds())
}

// ArchiveFailed counts a failed attempt to write to the archive.
func ArchiveFailed(reason string) { archiveFailures.WithLabelValues(reason).Inc() }

// ArchiveLost counts JobErrors that were deleted without being archived.
func ArchiveLost(records int) { archiveLost.Add(float64(records)) }
