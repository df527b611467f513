// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package truncate

import (
	"testing"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	t.Parallel()
	run(t, Line, utf8.RuneCountInString, map[string]testCase{
		"one short line stays unchanged":              {"no such table", 20, "no such table"},
		"a line as long as the limit stays unchanged": {"12345", 5, "12345"},
		"a long line ends with an ellipsis":           {"123456", 5, "1234…"},
		"an ellipsis replaces the lines that follow":  {"first\nsecond", 20, "first …"},
		"the ellipsis counts toward the limit":        {"first\nsecond", 5, "firs…"},
		"a line break at the end is dropped":          {"first\r\n\r\n", 20, "first"},
		"blank lines at the start are skipped":        {"\n \r\n\tfirst", 20, "first"},
		"the ellipsis of a log's tail is skipped":     {"…\nsecond\nthird", 20, "second …"},
		"an ellipsis before text stays":               {"… and more", 20, "… and more"},
		"tabs and control characters become spaces":   {"a\tb\x00c\x7fd", 20, "a b c d"},
		"a Unicode line separator ends a line":        {"a\u2028b", 20, "a …"},
		"a carriage return ends a line":               {"10 %\r20 %", 20, "10 % …"},
		"colors are dropped":                          {"\x1b[1;31merror\x1b[0m: disk", 20, "error: disk"},
		"the limit counts characters, not bytes":      {"äöüß€", 4, "äöü…"},
		"text with nothing to read is an ellipsis":    {" \t\n", 20, "…"},
		"empty text stays empty":                      {"", 20, ""},
	})
}

func TestNextLine(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ text, line, rest string }{
		"the only line":             {"only", "only", ""},
		"the rest starts with text": {"first\r\n\n second\nthird", "first", " second\nthird"},
		"a blank line":              {" \nsecond", "", "second"},
		"a break at the start":      {"\nsecond", "", "second"},
		"no text":                   {"", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if line, rest := nextLine(tc.text); line != tc.line || rest != tc.rest {
				t.Errorf("nextLine = %q, %q, want %q, %q", line, rest, tc.line, tc.rest)
			}
		})
	}
}
