// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package bounded cuts text to a length that its reader takes.
package bounded

import "unicode/utf8"

const mark = "…"

// String cuts text to this many bytes at most, between two characters and with
// a visible mark. Where the limit leaves no room for the mark, nothing is left.
func String(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	if limit < len(mark) {
		return ""
	}
	end := limit - len(mark)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + mark
}
