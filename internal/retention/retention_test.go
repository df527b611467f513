// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

const day = 24 * time.Hour

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, value string
		want        time.Duration
		refused     bool
	}{
		{name: "hours", value: "12h", want: 12 * time.Hour},
		{name: "days", value: "7d", want: 7 * day},
		{name: "thirty days", value: "30d", want: 30 * day},
		{name: "weeks", value: "4w", want: 28 * day},
		{name: "several units in order", value: "1w2d", want: 9 * day},
		{name: "nothing is refused", value: "", refused: true},
		{name: "a negative time is refused", value: "-1h", refused: true},
		{name: "no time at all is refused", value: "0s", refused: true},
		{name: "a bare zero is refused", value: "0", refused: true},
		{name: "a word is refused", value: "abc", refused: true},
		{name: "a fraction is refused", value: "1.5d", refused: true},
		{name: "a number without a unit is refused", value: "30", refused: true},
		{name: "more than the clock can count is refused", value: "300y", refused: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(tc.value)
			if tc.refused != (err != nil) {
				t.Fatalf("Parse(%q) = %s, %v; refused should be %t", tc.value, got, err, tc.refused)
			}
			if got != tc.want {
				t.Errorf("Parse(%q) = %s, want %s", tc.value, got, tc.want)
			}
			if err != nil && !strings.Contains(err.Error(), joberrorv1.AnnotationRetention) {
				t.Errorf("the message does not name the annotation: %v", err)
			}
		})
	}
}

func TestOfJob(t *testing.T) {
	t.Parallel()
	annotated := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{joberrorv1.AnnotationRetention: "7d"}}}
	for _, tc := range []struct {
		name string
		job  *batchv1.Job
		want string
	}{
		{name: "no Job has none", job: nil, want: ""},
		{name: "a Job without the annotation has none", job: &batchv1.Job{}, want: ""},
		{name: "a Job with the annotation has its own", job: annotated, want: "7d"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := OfJob(tc.job); got != tc.want {
				t.Errorf("OfJob = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFor(t *testing.T) {
	t.Parallel()
	policy := Policy{Default: 30 * day}
	for _, tc := range []struct {
		name, own string
		want      time.Duration
	}{
		{name: "a Job without its own gets the default", own: "", want: 30 * day},
		{name: "a Job's own may be shorter", own: "12h", want: 12 * time.Hour},
		{name: "a Job's own may be longer", own: "52w", want: 364 * day},
		{name: "one that can't be read counts as none", own: "soon", want: 30 * day},
		{name: "a negative one counts as none", own: "-1h", want: 30 * day},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := policy.For(tc.own); got != tc.want {
				t.Errorf("For(%q) = %s, want %s", tc.own, got, tc.want)
			}
		})
	}
}
