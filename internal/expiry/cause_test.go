// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package expiry

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

var now = time.Date(2026, time.November, 5, 10, 15, 0, 500_000_000, time.UTC)

// recordedFor returns an Expiry whose status says this long before now.
func recordedFor(ago time.Duration) Expiry {
	at := now.Add(-ago)
	return Expiry{At: at, Recorded: &metav1.Time{Time: at.Add(time.Second - 1).Truncate(time.Second)}}
}

func TestCause(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		expiry Expiry
		want   Cause
	}{
		{name: "at the moment, before the recorded second is over", expiry: recordedFor(0)},
		{name: "soon after", expiry: recordedFor(time.Minute)},
		{name: "just less than an hour after", expiry: recordedFor(time.Hour - time.Second)},
		{name: "more than an hour after", expiry: recordedFor(time.Hour + time.Second), want: Overdue},
		{name: "a month after", expiry: recordedFor(30 * 24 * time.Hour), want: Overdue},
		{name: "never recorded", expiry: Expiry{At: now}, want: NotRecorded},
		{name: "recorded for a second later", expiry: recordedFor(-time.Second), want: Earlier},
		{name: "recorded for a month later", expiry: recordedFor(-30 * 24 * time.Hour), want: Earlier},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.expiry.cause(now); got != tc.want {
				t.Errorf("cause = %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTally(t *testing.T) {
	t.Parallel()
	counted := tally{}
	for _, e := range []Expiry{
		{At: now.Add(1)}, recordedFor(-time.Hour), recordedFor(0), recordedFor(time.Minute), recordedFor(2 * time.Hour), {At: now}, {At: now},
	} {
		counted.add(e, now)
	}
	if counted.all != 7 || counted.expired != 5 || counted.unexpectedly() != 3 || counted.describe() != ", 3 of them unexpectedly (NotRecorded 2, Overdue 1)" {
		t.Errorf("tally = %+v, want 5 of 7 expired, unexpectedly 2 that were not recorded and 1 overdue", counted)
	}
}

func TestAnExpectedExpiryHasNoCause(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]Expiry{"overdue": recordedFor(2 * time.Hour), "earlier": recordedFor(-time.Hour), "not recorded": {At: now}} {
		e.At, e.Expected = now, true
		counted := tally{}
		counted.add(e, now)
		if got := e.cause(now); got != "" || counted.expired != 1 || counted.unexpectedly() != 0 {
			t.Errorf("%s: cause = %q, tally = %+v; want no cause", name, got, counted)
		}
	}
}
