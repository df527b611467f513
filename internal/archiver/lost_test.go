// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"testing"
	"time"
)

func TestLossesAreSummed(t *testing.T) {
	t.Parallel()
	var l losses
	for _, tc := range []struct {
		lost  int
		after time.Duration
		want  int
	}{{0, 0, 0}, {3, 0, 3}, {2, time.Second, 0}, {4, time.Minute - 1, 0}, {0, time.Minute, 6}, {0, time.Hour, 0}} {
		l.count += tc.lost
		if got := l.due(start.Add(tc.after)); got != tc.want {
			t.Errorf("%d were announced after %s, want %d", got, tc.after, tc.want)
		}
	}
}
