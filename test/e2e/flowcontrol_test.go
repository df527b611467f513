// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"regexp"
	"testing"
)

// Callers that use up the priority level they share must not block the operator's own
// requests.
func TestOperatorRequestsUseTheirOwnPriorityLevel(t *testing.T) {
	t.Parallel()
	metrics, err := cluster.Run(t.Context(), nil, "get", "--raw", "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	dispatched := func(level string) *regexp.Regexp {
		return regexp.MustCompile(fmt.Sprintf(`(?m)^apiserver_flowcontrol_dispatched_requests_total{flow_schema="joberror-operator",priority_level="%s"} [1-9]`, level))
	}
	if !dispatched("workload-high").MatchString(metrics) {
		t.Error("the API server dispatched none of the operator's requests at the level workload-high")
	}
}
