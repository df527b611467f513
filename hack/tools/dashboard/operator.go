// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// ofOperator selects the metrics that controller-runtime and Go export for the operator.
const ofOperator = `{namespace="joberror-system"}`

// latency returns an expression for a quantile of a histogram, by labels such as "endpoint, ".
func latency(quantile, labels, histogram string) string {
	return fmt.Sprintf("histogram_quantile(%s, sum by (%sle) (rate(%s_bucket[$__rate_interval])))", quantile, labels, histogram)
}

func captureRow() row {
	const histogram = "joberror_capture_duration_seconds"
	const refused, dropped = `joberror_capture_refused_total` + inNamespace, `joberror_capture_dropped_total` + inNamespace
	return row{"Capture", []cog.Builder[dashboard.Panel]{
		chart("Capture latency", "How long it takes from when a failure is seen until it is recorded, in all namespaces.", "s").
			Span(gridWidth / 2).SpanNulls(common.BoolOrFloat64{Bool: cog.ToPtr(true)}).
			WithTarget(over("A", "half", latency("0.5", "", histogram))).
			WithTarget(over("B", "99 of 100", latency("0.99", "", histogram))),
		bars(chart("Refused and lost failures", "Attempts to record a failure that the API server refused, and failures that were lost because of it.", "short")).
			Span(gridWidth / 2).
			WithTarget(over("A", "{{namespace}} refused: {{reason}}", "sum by (namespace, reason) ("+grown(refused, "$__rate_interval")+")")).
			WithTarget(over("B", "{{namespace}} lost", "sum by (namespace) ("+grown(dropped, "$__rate_interval")+")")),
	}}
}

func healthRow() row {
	return row{"Health of the operator", []cog.Builder[dashboard.Panel]{
		number("Leaders", "Replicas that lead. There must be exactly one: without a leader, nothing is recorded or resolved.", "short",
			`sum(leader_election_master_status{name="joberror-operator", namespace="joberror-system"})`).
			Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps([]dashboard.Threshold{
				{Color: "red"}, {Value: cog.ToPtr(1.0), Color: "green"}, {Value: cog.ToPtr(2.0), Color: "red"},
			})),
		number("Replicas", "Replicas that Prometheus can scrape.", "short", "count(joberror_build_info"+ofOperator+")").
			Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps([]dashboard.Threshold{
				{Color: "red"}, {Value: cog.ToPtr(1.0), Color: "orange"}, {Value: cog.ToPtr(2.0), Color: "green"},
			})),
		number("Certificate expires in", "The certificate is renewed long before it expires.", "s",
			"min(joberror_certificate_expiration_timestamp_seconds"+ofOperator+") - time()").
			Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps([]dashboard.Threshold{
				{Color: "red"}, {Value: cog.ToPtr(7.0 * 86400), Color: "green"},
			})),
		number("Expired but kept", "Objects that have expired but are not deleted, because too many would go at once or the clock is wrong.", "short",
			"sum(max by (kind, reason) (joberror_expiry_held_back"+ofOperator+"))").
			Thresholds(thresholds(map[float64]string{1: "orange"})),
		chart("Reconcile errors", "Reconciles that failed and are tried again, by controller. The operator's log names the objects.", "short").
			WithTarget(over("A", "{{controller}}", "sum by (controller) (increase(controller_runtime_reconcile_errors_total"+ofOperator+"[$__rate_interval]))")),
		chart("Queues", "Objects that wait for a reconcile, by controller.", "short").
			WithTarget(over("A", "{{name}}", "max by (name) (workqueue_depth"+ofOperator+")")),
		chart("Memory", "Memory of each replica, and the part that is reserved for requests in progress.", "bytes").
			WithTarget(over("A", "{{pod}}", "max by (pod) (process_resident_memory_bytes"+ofOperator+")")).
			WithTarget(over("B", "{{pod}} requests", "max by (pod) (joberror_api_request_memory_bytes"+ofOperator+")")),
		chart("API latency", "99 of 100 requests to the aggregated API took at most this long, by endpoint.", "s").
			SpanNulls(common.BoolOrFloat64{Bool: cog.ToPtr(true)}).
			WithTarget(over("A", "{{endpoint}}", latency("0.99", "endpoint, ", "joberror_api_request_duration_seconds"))),
		chart("API requests", "Requests to the aggregated API, by HTTP status.", "reqps").
			WithTarget(over("A", "{{code}}", "sum by (code) (rate(joberror_api_request_duration_seconds_count"+ofOperator+"[$__rate_interval]))")),
		chart("API refusals", "Requests that were refused because too many were in progress, by the limit: the memory of all requests, or those about one namespace.", "reqps").
			WithTarget(over("A", "{{reason}}", "sum by (reason) (rate(joberror_api_refused_requests_total"+ofOperator+"[$__rate_interval]))")),
	}}
}
