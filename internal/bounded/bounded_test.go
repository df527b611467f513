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
