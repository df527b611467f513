// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import "joberror.io/operator/internal/truncate"

// maxSummary limits the length of a summary, in characters. The schema has the same
// limit. The cache keeps enough of a message to fill it.
const maxSummary = 100

// summaryOf returns the first line of a message, for tables. A message that fits in a
// table as it is needs no summary.
func summaryOf(message string) string {
	summary := truncate.Line(message, maxSummary)
	if summary == message {
		return ""
	}
	return summary
}
