// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retention

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// stored is when the API server made the objects of these tests.
var stored = time.Date(2026, time.November, 5, 12, 0, 0, 0, time.UTC)

func happened(createdAt string) *joberrorv1.JobError {
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(stored)},
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
		{name: "milliseconds count", createdAt: "2026-11-05T10:15:00.123Z", want: morning.Add(123 * time.Millisecond)},
		{name: "nanoseconds count", createdAt: "2026-11-05T10:15:00.000000001Z", want: morning.Add(1)},
		{name: "an offset to the east is the same moment", createdAt: "2026-11-05T15:45:00+05:30", want: morning},
		{name: "an offset to the west is the same moment", createdAt: "2026-11-05T02:15:00-08:00", want: morning},
		{name: "a missing one is when the object was made", createdAt: "", want: stored},
		{name: "one that is no time is when the object was made", createdAt: "yesterday", want: stored},
		{name: "one without an offset is when the object was made", createdAt: "2026-11-05T10:15:00", want: stored},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := CreatedAt(happened(tc.createdAt)); !got.Equal(tc.want) {
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
		{name: "exactly the default after it happened", createdAt: "2026-11-05T10:15:00Z", want: "2026-12-05T10:15:00Z"},
		{name: "to the fraction of a second", createdAt: "2026-11-05T10:15:00.123456789Z", want: "2026-12-05T10:15:00.123456789Z"},
		{name: "days of 24 hours, whatever the offset", createdAt: "2026-11-05T23:15:00-08:00", want: "2026-12-06T07:15:00Z"},
		{name: "the Job's own retention instead", createdAt: "2026-11-05T10:15:00Z", own: "12h", want: "2026-11-05T22:15:00Z"},
		{name: "the default where the Job's own can't be read", createdAt: "2026-11-05T10:15:00Z", own: "1.5d", want: "2026-12-05T10:15:00Z"},
		{name: "from the object's creation where createdAt is missing", own: "7d", want: "2026-11-12T12:00:00Z"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := policy.ExpiresAt(happened(tc.createdAt), tc.own).UTC().Format(time.RFC3339Nano)
			if got != tc.want {
				t.Errorf("ExpiresAt = %s, want %s", got, tc.want)
			}
		})
	}
}

func TestEntryExpiresTheDefaultAfterItsCreation(t *testing.T) {
	t.Parallel()
	entry := &joberrorv1.JobErrorResolution{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(stored)}}
	got, want := Policy{Default: 30 * day}.EntryExpiresAt(entry), stored.Add(30*day)
	if !got.Equal(want) {
		t.Errorf("EntryExpiresAt = %s, want %s", got, want)
	}
}
