// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"joberror.io/operator/internal/failingruns"
	"joberror.io/operator/internal/openerrors"
	"joberror.io/operator/internal/severity"
	"joberror.io/operator/internal/workload"
)

var (
	workloadLabels = []string{namespaceLabel, "workload_kind", "workload"}

	openErrors        = prometheus.NewDesc("joberror_open_errors", "JobErrors that are not resolved, by workload and class.", append(workloadLabels[:3:3], "class"), nil)
	oldestOpen        = prometheus.NewDesc("joberror_oldest_open_error_timestamp_seconds", "When the oldest open JobError of a workload was created.", workloadLabels, nil)
	workloadLevel     = prometheus.NewDesc("joberror_workload_severity", "Always 1. The label severity is the highest of the open JobErrors and failing runs of a workload.", append(workloadLabels[:3:3], "severity"), nil)
	failingRuns       = prometheus.NewDesc("joberror_cronjob_failing_runs", "Runs of a CronJob that failed in a row.", workloadLabels, nil)
	unlistedWorkloads = prometheus.NewDesc("joberror_unlisted_workloads", "Workloads that are summed or left out because there are more than --metrics-workloads.", nil, nil)
)

// workloadCollector exports the trouble of each workload. Only the leader exports it: with two
// replicas, each error would count twice.
type workloadCollector struct {
	// ready reports whether this replica leads and has counted what is in the cache.
	ready    func() bool
	open     *openerrors.Counter
	failing  *failingruns.Tracker
	defaults *namespaceSeverities
}

// Describe sends the descriptions of the metrics.
func (w *workloadCollector) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{openErrors, oldestOpen, workloadLevel, failingRuns, unlistedWorkloads} {
		descriptions <- d
	}
}

// Collect sends the values of the metrics, if this replica leads.
func (w *workloadCollector) Collect(values chan<- prometheus.Metric) {
	if !w.ready() {
		return
	}
	send := func(d *prometheus.Desc, value float64, labels ...string) {
		values <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	levels := map[workload.Key]severity.Level{}
	open, unlisted := w.open.Rows()
	for i := range open {
		row := &open[i]
		for class, n := range row.ByClass {
			if n > 0 {
				send(openErrors, float64(n), row.Namespace, row.Kind, row.Name, openerrors.Classes[class])
			}
		}
		send(oldestOpen, float64(row.Oldest), row.Namespace, row.Kind, row.Name)
		levels[row.Key] = row.Severity(w.defaults.of(row.Namespace))
	}
	failing, more := w.failing.Rows()
	for _, row := range failing {
		send(failingRuns, float64(row.Runs), row.Namespace, row.Kind, row.Name)
		level := row.Level
		if level == severity.Unset {
			level = w.defaults.of(row.Namespace)
		}
		levels[row.Key] = max(levels[row.Key], level)
	}
	for key, level := range levels {
		send(workloadLevel, 1, key.Namespace, key.Kind, key.Name, level.String())
	}
	send(unlistedWorkloads, float64(unlisted+more))
}
