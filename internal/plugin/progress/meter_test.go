// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

func TestMeter(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		width int
		want  string
	}{
		"on a terminal":      {80, "\rdone 1 of 4 [#####...............] 25%\x1b[K\rdone 4 of 4 [####################] 100%, 0/s\x1b[K\r\x1b[K"},
		"without a terminal": {0, "done 4 of 4 (100%), 0/s\n"},
	} {
		var out strings.Builder
		clock := clocktesting.NewFakePassiveClock(time.Unix(0, 0))
		m := NewMeter(&out, clock, tc.width)
		for _, step := range []struct {
			done int64
			at   time.Duration
		}{{0, 0}, {1, redraw}, {2, redraw + time.Millisecond}, {4, lineEvery + redraw}} {
			clock.SetTime(time.Unix(0, 0).Add(step.at))
			m.Show(State{Verb: "done", Done: step.done, Total: 4})
		}
		m.Clear()
		m.Clear()
		if got := out.String(); got != tc.want {
			t.Errorf("%s: wrote %q, want %q", name, got, tc.want)
		}
	}
}
