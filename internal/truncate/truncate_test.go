// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package truncate

import (
	"testing"
	"unicode/utf8"
)

func TestString(t *testing.T) {
	t.Parallel()
	cuts(t, String, func(text string) int { return len(text) }, map[string]cut{
		"short text is left as it is":    {"abc", 3, "abc"},
		"long text is cut with a mark":   {"abcdefgh", 6, "abc…"},
		"a character is never cut apart": {"ab€€€", 7, "ab…"},
		"no text is no text":             {"", 5, ""},
	})
}

func TestCharacters(t *testing.T) {
	t.Parallel()
	cuts(t, Characters, utf8.RuneCountInString, map[string]cut{
		"short text is left as it is":       {"äöü", 3, "äöü"},
		"long text is cut with a mark":      {"äöüß€", 4, "äöü…"},
		"nothing but the mark has room":     {"ab", 1, "…"},
		"what is no UTF-8 counts each byte": {"\xff\xfe\xfd", 2, "\xff…"},
	})
}

// cut is what is left of a text under a limit.
type cut struct {
	text  string
	limit int
	want  string
}

func cuts(t *testing.T, by func(string, int) string, size func(string) int, cases map[string]cut) {
	t.Helper()
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := by(c.text, c.limit); got != c.want || size(got) > c.limit {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	cuts(t, Line, utf8.RuneCountInString, map[string]cut{
		"one short line stays as it is":             {"no such table", 20, "no such table"},
		"a line as long as the limit stays":         {"12345", 5, "12345"},
		"a long line is cut with a mark":            {"123456", 5, "1234…"},
		"a mark stands for the lines that follow":   {"first\nsecond", 20, "first …"},
		"the mark has to fit":                       {"first\nsecond", 5, "firs…"},
		"a line break at the end is dropped":        {"first\r\n\r\n", 20, "first"},
		"blank lines before it are skipped":         {"\n \r\n\tfirst", 20, "first"},
		"the mark of a log's tail is skipped":       {"…\nsecond\nthird", 20, "second …"},
		"a mark before text stays":                  {"… and so on", 20, "… and so on"},
		"tabs and control characters become spaces": {"a\tb\x00c\x7fd", 20, "a b c d"},
		"every line break ends a line":              {"a\u2028b", 20, "a …"},
		"a line ends at a carriage return":          {"10 %\r20 %", 20, "10 % …"},
		"colors are dropped":                        {"\x1b[1;31merror\x1b[0m: disk", 20, "error: disk"},
		"characters are counted, not bytes":         {"äöüß€", 4, "äöü…"},
		"text without anything to read is a mark":   {" \t\n", 20, "…"},
		"no text is no line":                        {"", 20, ""},
	})
}
