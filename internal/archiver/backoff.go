// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import "time"

const (
	// minBackoff and maxBackoff limit the time until the next attempt after a failed one.
	minBackoff = time.Second
	maxBackoff = time.Minute
)

// backoff returns the time until the next attempt after this many failures in a row. It exceeds
// neither maxBackoff nor the limit, which is the interval of the batches.
func backoff(failures int, limit time.Duration) time.Duration {
	limit = min(limit, maxBackoff)
	delay := minBackoff
	for range failures - 1 {
		if delay >= limit {
			break
		}
		delay *= 2
	}
	return min(delay, limit)
}
