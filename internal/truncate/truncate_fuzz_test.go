// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package truncate

import (
	"testing"
	"unicode/utf8"
)

// FuzzBytes looks for a text that comes out too long, or that ends within a character.
func FuzzBytes(f *testing.F) {
	f.Add("", uint8(3))
	f.Add("a text of some length", uint8(8))
	f.Add("äöü€😀", uint8(5))
	f.Add("\xff\x80\x80\x80", uint8(3))
	f.Fuzz(func(t *testing.T, text string, limit uint8) {
		got := Bytes(text, int(limit))
		if len(got) > int(limit) {
			t.Fatalf("Bytes = %q, want at most %d bytes", got, limit)
		}
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("Bytes = %q, want whole characters", got)
		}
	})
}
