// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestMergeReports(t *testing.T) {
	t.Parallel()
	const full = "# Benchmarks\n\nold\n\n## A\n\na 1\n\n## B\n\nb 1\n"
	for name, tc := range map[string]struct{ earlier, later, want string }{
		"no file":       {"", full, full},
		"all again":     {full, "# Benchmarks\n\nnew\n\n## A\n\na 2\n\n## B\n\nb 2\n", "# Benchmarks\n\nnew\n\n## A\n\na 2\n\n## B\n\nb 2\n"},
		"one section":   {full, "# Benchmarks\n\nnew\n\n## B\n\nb 2\n", "# Benchmarks\n\nnew\n\n## A\n\na 1\n\n## B\n\nb 2\n"},
		"a new section": {full, "# Benchmarks\n\nnew\n\n## C\n\nc 1\n", "# Benchmarks\n\nnew\n\n## A\n\na 1\n\n## B\n\nb 1\n\n## C\n\nc 1\n"},
	} {
		if got := mergeReports(tc.earlier, tc.later); got != tc.want {
			t.Errorf("%s: merged =\n%q\nwant\n%q", name, got, tc.want)
		}
	}
}
