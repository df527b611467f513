// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"testing"
	"time"
)

func TestState(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		state     State
		bar, line string
	}{
		"at the start": {
			State{Verb: "resolved", Total: 10_000},
			"resolved 0 of 10,000 [....................] 0%",
			"resolved 0 of 10,000 (0%)",
		},
		"under way": {
			State{Verb: "resolved", Done: 2_500, Total: 10_000, Elapsed: 5 * time.Second},
			"resolved 2,500 of 10,000 [#####...............] 25%, 500/s, 15s left",
			"resolved 2,500 of 10,000 (25%), 500/s, 15s left",
		},
		"done": {
			State{Verb: "resolved", Done: 10, Total: 10, Elapsed: 2 * time.Second},
			"resolved 10 of 10 [####################] 100%, 5/s",
			"resolved 10 of 10 (100%), 5/s",
		},
		"too early for a rate": {
			State{Verb: "resolved", Done: 1, Total: 2, Elapsed: time.Millisecond},
			"resolved 1 of 2 [##########..........] 50%",
			"resolved 1 of 2 (50%)",
		},
		"without a total": {
			State{Verb: "reported", Done: 3_000, Elapsed: 3 * time.Second, Note: "2 refused"},
			"reported 3,000, 1,000/s, 2 refused",
			"reported 3,000, 1,000/s, 2 refused",
		},
		"by the share of a file": {
			State{Verb: "reported", Done: 30, Share: 0.75, Elapsed: 3 * time.Second},
			"reported 30 [###############.....] 75%, 10/s, 1s left",
			"reported 30 (75%), 10/s, 1s left",
		},
	} {
		if got := tc.state.Bar(80); got != tc.bar {
			t.Errorf("%s: Bar = %q, want %q", name, got, tc.bar)
		}
		if got := tc.state.Line(); got != tc.line {
			t.Errorf("%s: Line = %q, want %q", name, got, tc.line)
		}
	}
	if got := (State{Verb: "resolved", Total: 10_000}).Bar(10); got != "resolved 0" {
		t.Errorf("Bar in 10 columns = %q", got)
	}
}

func TestCount(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 rows", 1: "1 row", 1_000: "1,000 rows"} {
		if got := Count(n, "row"); got != want {
			t.Errorf("Count(%d) = %s, want %s", n, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0", 999: "999", 1_000: "1,000", 1_234_567: "1,234,567", -1_000: "-1,000", -100: "-100"} {
		if got := Number(n); got != want {
			t.Errorf("Number(%d) = %s, want %s", n, got, want)
		}
	}
}
