// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package truncate

import (
	"regexp"
	"strings"
	"unicode"
)

// styles matches the escape sequences that color a terminal's text.
var styles = regexp.MustCompile("\x1b\\[[0-9;:?]*[ -/]*[@-~]")

// Line returns the first line of text that has something to read, truncated to limit
// characters. An ellipsis at the end shows that more text follows. Control characters
// become spaces, so that the line fits in a table.
func Line(text string, limit int) string {
	if text == "" {
		return ""
	}
	line, rest := "", styles.ReplaceAllString(text, "")
	for line == "" && rest != "" {
		line, rest = nextLine(rest)
		if line == ellipsis {
			// The tail of a log starts with a line that is only an ellipsis.
			line = ""
		}
	}
	switch {
	case line == "":
		line = ellipsis
	case strings.TrimSpace(rest) != "":
		line += " " + ellipsis
	}
	return Characters(line, limit)
}

// nextLine returns the first line of text, ready to print, and the rest.
func nextLine(text string) (line, rest string) {
	line = text
	if end := strings.IndexFunc(text, breaksLine); end >= 0 {
		line, rest = text[:end], text[end:]
		rest = strings.TrimLeftFunc(rest, breaksLine)
	}
	return strings.TrimSpace(strings.Map(printable, line)), rest
}

// breaksLine reports whether a character ends a line.
func breaksLine(r rune) bool {
	switch r {
	case '\n', '\v', '\f', '\r', '\u0085', '\u2028', '\u2029':
		return true
	}
	return false
}

// printable returns a space for a control character, and any other character unchanged.
func printable(r rune) rune {
	if unicode.IsControl(r) {
		return ' '
	}
	return r
}
