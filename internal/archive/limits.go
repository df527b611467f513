// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import "time"

// limits bounds one page. A page that reaches a bound ends early and can be continued.
type limits struct {
	objects int
	// bytes limits what is read from the store.
	bytes int64
	// records limits the bytes of the records in memory. They were compressed in the store.
	records int
	time    time.Duration
	// skipped limits the objects that a page reports as skipped.
	skipped int
}

var defaultLimits = limits{objects: 500, bytes: 64 << 20, records: 4 << 20, time: 20 * time.Second, skipped: 100}

const (
	// grace is how much longer than its time a page may take for the objects that it is reading.
	grace = 15 * time.Second
	// defaultLimit is the number of records of a page if the query has no limit.
	defaultLimit = 500
	// readAhead is the number of objects whose ends are read at the same time.
	readAhead = 8
)
