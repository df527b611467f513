// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestReportOfAResolution(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		names       []string
		status      joberrorv1.JobErrorResolutionStatus
		dryRun      dryRun
		out, errOut string
		fails       bool
	}{
		"one":         {names: []string{"a"}, status: joberrorv1.JobErrorResolutionStatus{Matched: 1, Updated: 1}, out: "x resolved\n"},
		"one before":  {names: []string{"a"}, status: joberrorv1.JobErrorResolutionStatus{Matched: 1, Unchanged: 1}, out: "x already resolved\n"},
		"one dry run": {names: []string{"a"}, status: joberrorv1.JobErrorResolutionStatus{Matched: 1, Updated: 1}, dryRun: "server", out: "x resolved (server dry run)\n"},
		"nothing":     {out: "x: no errors to resolve\n"},
		"many":        {status: joberrorv1.JobErrorResolutionStatus{Matched: 10_000, Updated: 9_999, Unchanged: 1}, out: "x: 9,999 of 10,000 errors resolved, 1 already were\n"},
		"some failed": {
			status: joberrorv1.JobErrorResolutionStatus{Matched: 13, Updated: 1, Failed: 12, Failures: []joberrorv1.ResolutionFailure{{Name: "a", Reason: joberrorv1.FailureRejected, Message: "no"}}},
			out:    "x: 1 of 13 errors resolved\n", errOut: "12 errors could not be resolved:\n  joberror/a: Rejected: no\n  and 11 more\n", fails: true,
		},
	} {
		streams, _, out, errOut := genericiooptions.NewTestIOStreams()
		c := &changeOptions{options: optionsFor(streams), resolved: true, verb: "resolve", past: "resolved", dryRun: tc.dryRun}
		err := c.report(&joberrorv1.JobErrorResolution{Spec: joberrorv1.JobErrorResolutionSpec{Errors: tc.names}, Status: tc.status}, "x")
		if out.String() != tc.out || errOut.String() != tc.errOut || (err != nil) != tc.fails {
			t.Errorf("%s: wrote %q and %q, %v; want %q and %q", name, out, errOut, err, tc.out, tc.errOut)
		}
	}
}

func TestProgressOfAResolution(t *testing.T) {
	t.Parallel()
	c := &changeOptions{resolved: true, past: "resolved"}
	for want, status := range map[string]joberrorv1.JobErrorResolutionStatus{
		"resolved 0 of 10,000 (0%)":                {},
		"resolved 100 of 10,000 (1%)":              {Matched: 100, Updated: 100},
		"resolved 5,000 of 10,000 (50%), 2 failed": {Matched: 5_100, Updated: 4_990, Unchanged: 8, Failed: 2},
		"resolved 10,000 of 11,000 (90%)":          {Matched: 11_000, Updated: 10_000},
	} {
		if got := c.state(status, 10_000).Line(); got != want {
			t.Errorf("%+v: %q, want %q", status, got, want)
		}
	}
}
