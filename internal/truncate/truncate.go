// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package truncate shortens text to a limit and marks the end with an ellipsis.
package truncate

import "unicode/utf8"

const ellipsis = "…"

// Characters truncates text to limit characters, including the ellipsis. The limit must
// be at least 1.
func Characters(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	kept := 0
	for end := range text {
		if kept == limit-1 {
			return text[:end] + ellipsis
		}
		kept++
	}
	return text
}

// Bytes truncates text to limit bytes, including the ellipsis, and never splits a
// character. If the limit has no room for the ellipsis, it returns no text.
func Bytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	if limit < len(ellipsis) {
		return ""
	}
	end := limit - len(ellipsis)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + ellipsis
}
