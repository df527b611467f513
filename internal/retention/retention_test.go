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
		{name: "an empty value is refused", value: "", refused: true},
		{name: "a negative duration is refused", value: "-1h", refused: true},
		{name: "a zero duration is refused", value: "0s", refused: true},
		{name: "a bare zero is refused", value: "0", refused: true},
		{name: "a word is refused", value: "abc", refused: true},
		{name: "a fraction is refused", value: "1.5d", refused: true},
		{name: "a number without a unit is refused", value: "30", refused: true},
		{name: "a duration that overflows is refused", value: "300y", refused: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse(tc.value)
			if tc.refused != (err != nil) {
				t.Fatalf("Parse(%q) = %s, %v, want refused %t", tc.value, got, err, tc.refused)
			}
			if got != tc.want {
				t.Errorf("Parse(%q) = %s, want %s", tc.value, got, tc.want)
			}
			if err != nil && !strings.Contains(err.Error(), joberrorv1.AnnotationRetention) {
				t.Errorf("error = %v, want it to name the annotation", err)
			}
		})
	}
}

func TestRequested(t *testing.T) {
	t.Parallel()
	annotated := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{joberrorv1.AnnotationRetention: "7d"}}}
	for _, tc := range []struct {
		name string
		job  *batchv1.Job
		want string
	}{
		{name: "no Job", job: nil, want: ""},
		{name: "a Job without the annotation", job: &batchv1.Job{}, want: ""},
		{name: "a Job with the annotation", job: annotated, want: "7d"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := Requested(tc.job); got != tc.want {
				t.Errorf("Requested = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestFor(t *testing.T) {
	t.Parallel()
	policy := Policy{Default: 30 * day, Min: 6 * time.Hour}
	for _, tc := range []struct {
		name, own string
		want      time.Duration
	}{
		{name: "without a request, the default", own: "", want: 30 * day},
		{name: "a shorter request", own: "12h", want: 12 * time.Hour},
		{name: "a request for the minimum", own: "6h", want: 6 * time.Hour},
		{name: "a request for less than the minimum", own: "1s", want: 6 * time.Hour},
		{name: "a longer request", own: "52w", want: 364 * day},
		{name: "an invalid request counts as none", own: "soon", want: 30 * day},
		{name: "a negative request counts as none", own: "-1h", want: 30 * day},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := policy.For(tc.own); got != tc.want {
				t.Errorf("For(%q) = %s, want %s", tc.own, got, tc.want)
			}
		})
	}
}
