// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"slices"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// jobWithPolicy returns a Job with this deletion policy, unless that is empty.
func jobWithPolicy(value string) *batchv1.Job {
	job := &batchv1.Job{}
	if value != "" {
		job.Annotations = map[string]string{joberrorv1.AnnotationDeletionPolicy: value}
	}
	return job
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	floor := Policy{Default: 30 * day, Min: day}
	for _, tc := range []struct {
		name   string
		policy Policy
		own    string
		job    *batchv1.Job
		want   []string
		// message is a part of the last message.
		message string
	}{
		{name: "a Job that requests nothing", policy: floor, job: jobWithPolicy("")},
		{name: "the minimum itself", policy: floor, own: "24h", job: jobWithPolicy("")},
		{name: "a longer retention", policy: floor, own: "52w", job: jobWithPolicy("")},
		{name: "a shorter retention", policy: floor, own: "1h", job: jobWithPolicy(""), want: []string{ReasonTooShort}, message: "1h is shorter than the minimum, so the minimum of 1d applies"},
		{name: "a shorter retention of a Job that is gone", policy: floor, own: "1h", want: []string{ReasonTooShort}, message: "1d"},
		{name: "a shorter retention without a minimum", policy: Policy{Default: 30 * day}, own: "1s", job: jobWithPolicy("")},
		{name: "an invalid retention", policy: floor, own: "soon", job: jobWithPolicy(""), want: []string{ReasonInvalid}, message: "is not a retention"},
		{name: "Cascade that is not allowed", policy: floor, job: jobWithPolicy("Cascade"), want: []string{ReasonCascadeNotAllowed}, message: "--allow-cascade"},
		{name: "Cascade that is allowed", policy: Policy{Default: 30 * day, AllowCascade: true}, job: jobWithPolicy("Cascade")},
		{name: "an unknown deletion policy", policy: floor, job: jobWithPolicy("Keep")},
		{name: "both", policy: floor, own: "1h", job: jobWithPolicy("Cascade"), want: []string{ReasonTooShort, ReasonCascadeNotAllowed}, message: "has no effect"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var reasons []string
			last := ""
			for _, refusal := range tc.policy.Refusals(tc.own, tc.job) {
				reasons, last = append(reasons, refusal.Reason), refusal.Message
			}
			if !slices.Equal(reasons, tc.want) || !strings.Contains(last, tc.message) {
				t.Errorf("Refusals = %v, the last %q; want %v, %q", reasons, last, tc.want, tc.message)
			}
		})
	}
}

func TestCascades(t *testing.T) {
	t.Parallel()
	allowed := Policy{AllowCascade: true}
	for value, want := range map[string]bool{"Cascade": true, "cascade": false, "Keep": false, "": false} {
		if got := allowed.Cascades(jobWithPolicy(value)); got != want {
			t.Errorf("Cascades with the policy %q = %t, want %t", value, got, want)
		}
	}
	if allowed.Cascades(nil) {
		t.Error("a Job that is gone cascades")
	}
	if (Policy{}).Cascades(jobWithPolicy("Cascade")) {
		t.Error("a Job cascades although that is not allowed")
	}
}

// A record whose Job requested an hour before there was a minimum is kept for the minimum.
func TestARememberedRetentionObeysTheMinimum(t *testing.T) {
	t.Parallel()
	je := createdError("2026-11-05T10:15:00Z")
	for minimum, want := range map[time.Duration]time.Duration{0: time.Hour, time.Minute: time.Hour, day: day} {
		if got := (Policy{Default: 30 * day, Min: minimum}).ExpiresAt(je, "1h").Sub(CreatedAt(je)); got != want {
			t.Errorf("kept for %s with the minimum %s, want %s", got, minimum, want)
		}
	}
}
