// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

func TestName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63)
	for name, tc := range map[string]struct {
		options []option
		attempt int32
		want    string
	}{
		"a short name":               {nil, 1, "import-r1"},
		"a later attempt":            {nil, 12, "import-r12"},
		"a Job that looks like one":  {[]option{named("import-r3")}, 1, "import-r3-r1"},
		"a long name":                {[]option{named(long)}, 1, strings.Repeat("a", 48) + "-7c19c659-r1"},
		"a long name, a later retry": {[]option{named(long)}, 9999, strings.Repeat("a", 48) + "-7c19c659-r9999"},
		"a long name with indexes":   {[]option{named(long), indexed(100, "")}, 1, strings.Repeat("a", 45) + "-7c19c659-r1"},
		"cut at a hyphen":            {[]option{named(strings.Repeat("a", 47) + "-" + strings.Repeat("b", 15))}, 1, strings.Repeat("a", 47) + "-7c19c659-r1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := failedJob(tc.options...)
			got := LineageOf(job).Fitting(&job.Spec).Name(tc.attempt)
			if got != tc.want {
				t.Errorf("Name = %q, want %q", got, tc.want)
			}
			pod := got
			if IsIndexed(&job.Spec) {
				pod += "-99"
			}
			if problems := validation.IsDNS1123Label(pod); len(problems) > 0 {
				t.Errorf("%q: %v", pod, problems)
			}
		})
	}
}

func TestTwoLongNamesDiffer(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 63)
	if a, b := baseName(long, "1", 0), baseName(long, "2", 0); a == b {
		t.Errorf("both Jobs have the base %q", a)
	}
}
