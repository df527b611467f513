// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package bounded

import "testing"

func TestString(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		limit int
		want  string
	}{
		"short text is left as it is":    {"abc", 3, "abc"},
		"long text is cut with a mark":   {"abcdefgh", 6, "abc…"},
		"a character is never cut apart": {"ab€€€", 7, "ab…"},
		"no text is no text":             {"", 5, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := String(c.text, c.limit); got != c.want || len(got) > c.limit {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestCharacters(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		limit int
		want  string
	}{
		"short text is left as it is":       {"äöü", 3, "äöü"},
		"long text is cut with a mark":      {"äöüß€", 4, "äöü…"},
		"nothing but the mark has room":     {"ab", 1, "…"},
		"what is no UTF-8 counts each byte": {"\xff\xfe\xfd", 2, "\xff…"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Characters(c.text, c.limit); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
