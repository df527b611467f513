// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestRetryIDChangesOnlyWithTheGeneration(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		je   *joberrorv1.JobError
		link link
		want time.Time
	}{
		{name: "a new record changed now", je: jobError(1), want: now},
		{name: "a record whose content changed, now", je: jobError(2, observed(1)), want: now},
		{name: "a record that was resolved changed now", je: jobError(2, observed(1), resolved), want: now},
		{name: "a record that did not change keeps its time", je: jobError(2, observed(2)), want: earlier},
		{name: "a record whose Job was found keeps its time", je: jobError(2, observed(2)), link: link{job: job("")}, want: earlier},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := desiredStatus(tc.je, tc.link, expiresAt, now)
			if want := tc.want.UTC().Format("2006-01-02T15:04:05.000000Z07:00"); got.RetryID != want {
				t.Errorf("_retryId = %s, want %s", got.RetryID, tc.want)
			}
			if got.ObservedGeneration != tc.je.Generation {
				t.Errorf("observedGeneration = %d, want %d", got.ObservedGeneration, tc.je.Generation)
			}
		})
	}
}

func TestExpiresAtIsRoundedUp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		fraction time.Duration
		want     time.Time
	}{
		{name: "a whole second stays", want: expiresAt},
		{name: "a nanosecond more is the next second", fraction: 1, want: expiresAt.Add(time.Second)},
		{name: "a millisecond more is the next second", fraction: time.Millisecond, want: expiresAt.Add(time.Second)},
		{name: "a nanosecond less than a second is the next second", fraction: time.Second - 1, want: expiresAt.Add(time.Second)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := desiredStatus(jobError(1), link{}, expiresAt.Add(tc.fraction), now)
			if got.ExpiresAt == nil || !got.ExpiresAt.Time.Equal(tc.want) {
				t.Errorf("expiresAt = %s, want %s", got.ExpiresAt, tc.want)
			}
		})
	}
}

func TestExpiresAtFollowsTheRetention(t *testing.T) {
	t.Parallel()
	sooner := expiresAt.Add(-24 * time.Hour)
	got := desiredStatus(jobError(1, observed(1)), link{}, sooner, now)
	if want := metav1.NewTime(sooner); !want.Equal(got.ExpiresAt) {
		t.Errorf("expiresAt = %s, want %s", got.ExpiresAt, want)
	}
}

func TestFillCreatedAt(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, createdAt, want string }{
		{name: "a missing createdAt becomes the creation time in UTC", want: "2026-11-05T10:15:00Z"},
		{name: "an existing createdAt stays unchanged", createdAt: "2026-11-05T11:00:00.5+02:00", want: "2026-11-05T11:00:00.5+02:00"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := jobError(1)
			je.CreationTimestamp = metav1.NewTime(now.In(time.FixedZone("", 2*60*60)))
			je.Spec.CreatedAt = tc.createdAt
			fillCreatedAt(je)
			if je.Spec.CreatedAt != tc.want {
				t.Errorf("createdAt = %q, want %q", je.Spec.CreatedAt, tc.want)
			}
		})
	}
}
