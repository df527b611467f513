// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package truncate shortens text to a limit, with a visible mark.
package truncate

import "unicode/utf8"

const mark = "…"

// Characters cuts text to this many characters at most, with a visible mark. The
// limit is one or more.
func Characters(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	kept := 0
	for end := range text {
		if kept == limit-1 {
			return text[:end] + mark
		}
		kept++
	}
	return text
}

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
