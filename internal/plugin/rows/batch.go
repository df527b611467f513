// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import "bytes"

// Limits of a batch. The server allows 1,000 rows and 4 MiB, and 300,000 names and values.
const (
	maxRows  = 1000
	maxBytes = 7 << 19
)

// Batch holds rows for one request.
type Batch struct {
	// Rows holds the rows.
	Rows  []Row
	bytes int
}

// Fits reports whether another row fits.
func (b *Batch) Fits(row Row) bool {
	return len(b.Rows) == 0 || len(b.Rows) < maxRows && b.bytes+len(row.JSON) < maxBytes
}

// Add adds a row.
func (b *Batch) Add(row Row) {
	b.Rows = append(b.Rows, row)
	b.bytes += len(row.JSON) + 1
}

// body returns the rows as an array in JSON.
func body(rows []Row) []byte {
	parts := make([][]byte, len(rows))
	for i, row := range rows {
		parts[i] = row.JSON
	}
	return append(append([]byte("["), bytes.Join(parts, []byte(","))...), ']')
}
