// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"regexp"
	"testing"
)

// Whoever fills the seats of the level that callers share must not keep the
// operator from answering them.
func TestTheOperatorHasOtherSeatsThanItsCallers(t *testing.T) {
	t.Parallel()
	metrics, err := cluster.Run(t.Context(), nil, "get", "--raw", "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	dispatched := func(level string) *regexp.Regexp {
		return regexp.MustCompile(fmt.Sprintf(`(?m)^apiserver_flowcontrol_dispatched_requests_total{flow_schema="joberror-operator",priority_level="%s"} [1-9]`, level))
	}
	if !dispatched("workload-high").MatchString(metrics) {
		t.Error("no request of the operator was dispatched at the level workload-high")
	}
}
