// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package truncate

import (
	"testing"
	"unicode/utf8"
)

func TestBytes(t *testing.T) {
	t.Parallel()
	run(t, Bytes, func(text string) int { return len(text) }, map[string]testCase{
		"short text stays unchanged":           {"abc", 3, "abc"},
		"long text ends with an ellipsis":      {"abcdefgh", 6, "abc…"},
		"a character is never split":           {"ab€€€", 7, "ab…"},
		"without room for an ellipsis: empty":  {"abcdefgh", 2, ""},
		"with room for the ellipsis only":      {"abcdefgh", 3, "…"},
		"a zero limit leaves nothing":          {"abc", 0, ""},
		"empty text stays empty":               {"", 5, ""},
		"invalid UTF-8 is truncated by bytes":  {"\xff\xfe\xfd\xfc\xfb", 4, "\xff…"},
		"continuation bytes are never a start": {"\x80\x80\x80\x80\x80", 4, "…"},
	})
}

func TestCharacters(t *testing.T) {
	t.Parallel()
	run(t, Characters, utf8.RuneCountInString, map[string]testCase{
		"short text stays unchanged":            {"äöü", 3, "äöü"},
		"long text ends with an ellipsis":       {"äöüß€", 4, "äöü…"},
		"only the ellipsis fits":                {"ab", 1, "…"},
		"each byte of invalid UTF-8 counts one": {"\xff\xfe\xfd", 2, "\xff…"},
	})
}

// testCase is the expected result for a text under a limit.
type testCase struct {
	text  string
	limit int
	want  string
}

func run(t *testing.T, truncate func(string, int) string, size func(string) int, cases map[string]testCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := truncate(tc.text, tc.limit); got != tc.want || size(got) > tc.limit {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}
