// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package bounded

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
