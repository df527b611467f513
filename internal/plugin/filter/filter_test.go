// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package filter

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	seen := time.Unix(1000, 0)
	je := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{joberrorv1.LabelClass: "data"}},
		Spec:       joberrorv1.JobErrorSpec{JobID: "uid-1", Code: "bad_date"},
		Status:     joberrorv1.JobErrorStatus{Job: &joberrorv1.JobReference{Name: "load", UID: "uid-1"}},
	}
	for name, tc := range map[string]struct {
		filter Filter
		want   bool
	}{
		"everything":       {Filter{}, true},
		"open":             {Filter{OnlyOpen: true}, true},
		"the Job's name":   {Filter{Job: "load"}, true},
		"the Job's UID":    {Filter{Job: "uid-1"}, true},
		"another Job":      {Filter{Job: "save"}, false},
		"one of the codes": {Filter{Codes: []string{"x", "bad_date"}}, true},
		"other codes":      {Filter{Codes: []string{"x"}}, false},
		"the class":        {Filter{Classes: []string{"data"}}, true},
		"another class":    {Filter{Classes: []string{"image"}}, false},
		"seen since":       {Filter{SeenSince: seen}, true},
		"seen before":      {Filter{SeenSince: seen.Add(1)}, false},
	} {
		if got := tc.filter.Matches(je, seen); got != tc.want {
			t.Errorf("%s: Matches = %t, want %t", name, got, tc.want)
		}
	}
	je.Spec.Resolved = true
	if (Filter{OnlyOpen: true}).Matches(je, seen) {
		t.Error("a resolved error matches a filter for open ones")
	}
}

func TestARetryBelongsToItsFirstJob(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{joberrorv1.LabelLineage: "uid-1"}},
		Spec:       joberrorv1.JobErrorSpec{JobID: "load-r2"},
		Status:     joberrorv1.JobErrorStatus{Job: &joberrorv1.JobReference{Name: "load-r2", UID: "uid-3"}},
	}
	for id, want := range map[string]bool{
		"load": true, "uid-1": true, "load-r2": true, "uid-3": true, "load-r1": false, "uid-2": false,
	} {
		if got := BelongsTo(je, id); got != want {
			t.Errorf("belongs to %s = %t, want %t", id, got, want)
		}
	}
}

func TestParseAge(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"90m": 90 * time.Minute, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "1h30m": 90 * time.Minute,
		"": 0, "7": 0, "d": 0, "-1d": 0, "0d": 0, "-5m": 0, "1.5d": 0, "999999999999d": 0, "yesterday": 0,
	} {
		got, err := ParseAge(value)
		if got != want || (err == nil) != (want > 0) {
			t.Errorf("ParseAge(%q) = %s, %v; want %s", value, got, err, want)
		}
	}
}
