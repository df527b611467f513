// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// storedAt is the creation time of the objects in these tests.
var storedAt = time.Date(2026, time.November, 5, 12, 0, 0, 0, time.UTC)

func createdError(createdAt string) *joberrorv1.JobError {
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(storedAt)},
		Spec:       joberrorv1.JobErrorSpec{CreatedAt: createdAt},
	}
}

func TestCreatedAt(t *testing.T) {
	t.Parallel()
	morning := time.Date(2026, time.November, 5, 10, 15, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, createdAt string
		want            time.Time
	}{
		{name: "a whole second", createdAt: "2026-11-05T10:15:00Z", want: morning},
		{name: "milliseconds", createdAt: "2026-11-05T10:15:00.123Z", want: morning.Add(123 * time.Millisecond)},
		{name: "nanoseconds", createdAt: "2026-11-05T10:15:00.000000001Z", want: morning.Add(1)},
		{name: "an offset to the east is the same time", createdAt: "2026-11-05T15:45:00+05:30", want: morning},
		{name: "an offset to the west is the same time", createdAt: "2026-11-05T02:15:00-08:00", want: morning},
		{name: "without createdAt, the object's creation", createdAt: "", want: storedAt},
		{name: "with an invalid createdAt, the object's creation", createdAt: "yesterday", want: storedAt},
		{name: "without an offset, the object's creation", createdAt: "2026-11-05T10:15:00", want: storedAt},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := CreatedAt(createdError(tc.createdAt)); !got.Equal(tc.want) {
				t.Errorf("CreatedAt = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestExpiresAt(t *testing.T) {
	t.Parallel()
	policy := Policy{Default: 30 * day}
	for _, tc := range []struct {
		name, createdAt, own, want string
	}{
		{name: "the default after createdAt", createdAt: "2026-11-05T10:15:00Z", want: "2026-12-05T10:15:00Z"},
		{name: "fractions of a second are kept", createdAt: "2026-11-05T10:15:00.123456789Z", want: "2026-12-05T10:15:00.123456789Z"},
		{name: "a day has 24 hours in any offset", createdAt: "2026-11-05T23:15:00-08:00", want: "2026-12-06T07:15:00Z"},
		{name: "the Job's own retention replaces the default", createdAt: "2026-11-05T10:15:00Z", own: "12h", want: "2026-11-05T22:15:00Z"},
		{name: "an invalid retention of the Job means the default", createdAt: "2026-11-05T10:15:00Z", own: "1.5d", want: "2026-12-05T10:15:00Z"},
		{name: "without createdAt, from the object's creation", own: "7d", want: "2026-11-12T12:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := policy.ExpiresAt(createdError(tc.createdAt), tc.own).UTC().Format(time.RFC3339Nano)
			if got != tc.want {
				t.Errorf("ExpiresAt = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestAResolutionExpiresTheDefaultAfterItsCreation(t *testing.T) {
	t.Parallel()
	jer := &joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(storedAt)}}
	got, want := Policy{Default: 30 * day}.RequestExpiresAt(jer), storedAt.Add(30*day)
	if !got.Equal(want) {
		t.Errorf("RequestExpiresAt = %s, want %s", got, want)
	}
}
