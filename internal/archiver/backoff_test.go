// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		failures int
		limit    time.Duration
		want     time.Duration
	}{
		{1, 5 * time.Minute, time.Second},
		{2, 5 * time.Minute, 2 * time.Second},
		{4, 5 * time.Minute, 8 * time.Second},
		{7, 5 * time.Minute, time.Minute},
		{1_000_000, 5 * time.Minute, time.Minute},
		{5, 10 * time.Second, 10 * time.Second},
		{1, 100 * time.Millisecond, 100 * time.Millisecond},
	} {
		if got := backoff(tc.failures, tc.limit); got != tc.want {
			t.Errorf("backoff(%d, %s) = %s, want %s", tc.failures, tc.limit, got, tc.want)
		}
	}
}
