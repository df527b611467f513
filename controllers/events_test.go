// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestShorten(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, message, want string }{
		{name: "nothing stays nothing"},
		{name: "a short message stays", message: "late", want: "late"},
		{name: "a message of just the limit stays", message: "12345", want: "12345"},
		{name: "a longer one is cut and says so", message: "123456", want: "12345…"},
		{name: "letters are counted, not bytes", message: "äöüßé", want: "äöüßé"},
		{name: "a letter of several bytes is never cut in two", message: "日本語のエラー", want: "日本語のエ…"},
		{name: "nor is one beyond the basic plane", message: "🙂🙂🙂🙂🙂🙂", want: "🙂🙂🙂🙂🙂…"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := shorten(tc.message, 5); got != tc.want || !utf8.ValidString(got) {
				t.Errorf("shorten(%q) = %q, want %q", tc.message, got, tc.want)
			}
		})
	}
}

func TestAMessageFitsTheNoteOfAnEvent(t *testing.T) {
	t.Parallel()
	if got := shorten(strings.Repeat("🙂", 32768), messageInEvent); len(got) > 1024 {
		t.Errorf("the longest message takes %d bytes of the 1,024 that a note has", len(got))
	}
}
