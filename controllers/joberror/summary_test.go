// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"strings"
	"testing"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/equality"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/truncate"
)

func TestSummaryOf(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ message, want string }{
		"no message":                   {},
		"a short message":              {message: "the container ended with exit code 3"},
		"a message as long as allowed": {message: strings.Repeat("€", maxSummary)},
		"a longer one":                 {strings.Repeat("€", maxSummary+1), strings.Repeat("€", maxSummary-1) + "…"},
		"32 KB in one line":            {strings.Repeat("x", 32<<10), strings.Repeat("x", maxSummary-1) + "…"},
		"several lines":                {"Traceback (most recent call last):\n  File \"main.py\"", "Traceback (most recent call last): …"},
		"the last lines of a log":      {"…\nconnecting\nno such host", "connecting …"},
		"a short line with a tab":      {"a\tb", "a b"},
	} {
		got := summaryOf(tc.message)
		if got != tc.want || utf8.RuneCountInString(got) > maxSummary {
			t.Errorf("%s: summaryOf = %q, want %q", name, got, tc.want)
		}
		// The cache holds 512 bytes of a message.
		if cached := summaryOf(truncate.Bytes(tc.message, 512)); cached != tc.want {
			t.Errorf("%s: summaryOf the cached message = %q, want %q", name, cached, tc.want)
		}
	}
}

func TestSummaryFollowsTheMessage(t *testing.T) {
	t.Parallel()
	withMessage := func(message string) func(*joberrorv1.JobError) {
		return func(je *joberrorv1.JobError) { je.Spec.Message = message }
	}
	je := jobError(1, withMessage("first\nsecond"))
	je.Status = desiredStatus(je, link{}, expiresAt, earlier)
	if je.Status.Summary != "first …" {
		t.Errorf("summary = %q", je.Status.Summary)
	}
	if again := desiredStatus(je, link{}, expiresAt, now); !equality.Semantic.DeepEqual(again, je.Status) {
		t.Errorf("an unchanged object would be written again: %+v, then %+v", je.Status, again)
	}
	je.Generation, je.Spec.Message = 2, "corrected"
	if status := desiredStatus(je, link{}, expiresAt, now); status.Summary != "" {
		t.Errorf("summary = %q, want none for a short message", status.Summary)
	}
}
