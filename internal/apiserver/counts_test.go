// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"slices"
	"strings"
	"testing"
)

func TestCounts(t *testing.T) {
	t.Parallel()
	for changes, want := range map[string]string{
		"":                      "",
		"+a":                    "a",
		"+a +a -a":              "a",
		"+a -a":                 "",
		"+a +b":                 "a b",
		"+a +b -a":              "b",
		"+a +b -a +b -b":        "b",
		"+a +b -a +c -b":        "c",
		"+a +b -a +b +a -b -b":  "a",
		"+a +b +c -b -c -a +c":  "c",
		"+a +b -a +c +a -c -b ": "a",
	} {
		var c counts
		for change := range strings.FieldsSeq(changes) {
			n := int32(1)
			if change[0] == '-' {
				n = -1
			}
			c.add(change[1:], n)
		}
		if got := strings.Join(slices.Sorted(slices.Values(c.texts())), " "); got != want {
			t.Errorf("after %q, the texts are %q, want %q", changes, got, want)
		}
	}
}
