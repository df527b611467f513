// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

const (
	inNamespace = `{namespace=~"$namespace"}`
	ofClass     = `{namespace=~"$namespace", class=~"$class"}`
	// openErrors has each error once, even if two replicas exported it during a failover.
	openErrors  = `max by (namespace, workload_kind, workload, class) (joberror_open_errors` + ofClass + `)`
	failingRuns = `max by (namespace, workload_kind, workload) (joberror_cronjob_failing_runs` + inNamespace + `)`
	oldestOpen  = `min by (namespace, workload_kind, workload) (joberror_oldest_open_error_timestamp_seconds` + inNamespace + `)`
	// worstWorkloads has the workloads with the most open errors.
	worstWorkloads = `topk(50, sum by (namespace, workload_kind, workload) (` + openErrors + `) > 0)`
	captured       = `joberror_captured_total` + ofClass
)

// grown returns an expression for how much each counter grew in a duration. Unlike increase, it
// includes the first count of a counter that did not exist before, such as that of a new code.
func grown(counter, duration string) string {
	return fmt.Sprintf("max_over_time(%[1]s[%[2]s]) unless %[1]s offset %[2]s or increase(%[1]s[%[2]s])", counter, duration)
}

func openRow() row {
	return row{"Open errors", []cog.Builder[dashboard.Panel]{
		number("Open errors", "Errors that are not resolved.", "short", "sum("+openErrors+")").
			Thresholds(thresholds(map[float64]string{1: "orange"})),
		number("Oldest open error", "How long the oldest open error has been open, in all classes.", "s", "time() - min("+oldestOpen+")").
			Thresholds(thresholds(map[float64]string{86400: "orange"})),
		number("Failing CronJobs", "CronJobs whose last run failed.", "short", "count("+failingRuns+")").
			Thresholds(thresholds(map[float64]string{1: "red"})),
		number("Failures in the time range", "Failures of Jobs and their pods that were recorded or counted.", "short",
			"sum("+grown(captured, "$__range")+")").Decimals(0).
			Thresholds(thresholds(nil)),
		chart("Open errors by class", "The class says who can fix an error: infrastructure is the cluster's fault, application the Job's own. Errors that a Job reported may have no class.", "short").
			Span(gridWidth).
			WithTarget(over("A", "{{class}}", "sum by (class) ("+openErrors+")")),
		list("Open errors by workload", "The 50 workloads with the most open errors. The column Oldest ignores the chosen class. The row without a workload holds all workloads beyond the limit of the metric.", "Open",
			map[string]string{"namespace": "Namespace", "workload_kind": "Kind", "workload": "Workload", "Value #A": "Open", "Value #B": "Oldest"},
			now("A", worstWorkloads),
			now("B", oldestOpen+" * 1000 and on (namespace, workload_kind, workload) "+worstWorkloads)).
			OverrideByName("Oldest", []dashboard.DynamicConfigValue{{Id: "unit", Value: "dateTimeFromNow"}}).
			Links([]cog.Builder[dashboard.DashboardLink]{link("What to do about open errors", "joberrorsopen")}),
		list("Failing CronJobs", "CronJobs by the number of failed runs in a row. A CronJob leaves the list when a run succeeds.", "Failed runs",
			map[string]string{"namespace": "Namespace", "workload": "CronJob", "Value": "Failed runs"},
			now("A", "topk(50, max by (namespace, workload) ("+failingRuns+"))")).
			Links([]cog.Builder[dashboard.DashboardLink]{link("What to do about a failing CronJob", "cronjobfailing")}),
	}}
}

func failuresRow() row {
	return row{"Failures", []cog.Builder[dashboard.Panel]{
		bars(chart("Failures over time", "Failures of Jobs and their pods that were recorded or counted, by class.", "short")).
			WithTarget(over("A", "{{class}}", "sum by (class) ("+grown(captured, "$__rate_interval")+")")).
			Links([]cog.Builder[dashboard.DashboardLink]{link("What to do about a surge", "joberrorssurge")}),
		ranking("Top codes", "The most frequent codes in the time range. A code is a reason of Kubernetes, such as OOMKilled, or an exit code.", "short", "{{code}}",
			"topk(10, sum by (code) ("+grown(captured, "$__range")+"))"),
		ranking("Top namespaces", "The namespaces with the most failures in the time range.", "short", "{{namespace}}",
			"topk(10, sum by (namespace) ("+grown(captured, "$__range")+"))"),
	}}
}

func resolvedRow() row {
	const reported, resolved = `joberror_reported_total` + inNamespace, `joberror_resolved_total` + inNamespace
	quantile := func(q string) string {
		return "histogram_quantile(" + q + ", sum by (reason, le) (" + grown("joberror_resolve_duration_seconds_bucket", "$__range") + "))"
	}
	return row{"Resolved and reported errors", []cog.Builder[dashboard.Panel]{
		bars(chart("Resolved errors over time", "Errors that were resolved, by who or what resolved them: a user, a resolution, or a later success.", "short")).
			WithTarget(over("A", "{{reason}}", "sum by (reason) ("+grown(resolved, "$__rate_interval")+")")),
		ranking("Time to resolve", "Half of the errors that were resolved in the time range had been open for at most this long, in all namespaces.", "s", "{{reason}}", quantile("0.5")),
		bars(chart("Reported records", "Errors of records that Jobs reported, by namespace. Repeated reports of the same record count each time.", "short")).
			WithTarget(over("A", "{{namespace}}", "topk(10, sum by (namespace) ("+grown(reported, "$__rate_interval")+"))")),
	}}
}
