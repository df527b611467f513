// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"testing"
	"time"

	testingclock "k8s.io/utils/clock/testing"
)

func TestBackoffGrowsUntilAWriteIsAccepted(t *testing.T) {
	t.Parallel()
	clock := testingclock.NewFakePassiveClock(now)
	b, w, other := newBackoff(clock), write{"team", verbCreate}, write{"team", verbPatch}
	const second = time.Second
	for i, want := range []time.Duration{second, 2 * second, 4 * second, 8 * second, 16 * second, 32 * second, 64 * second, 120 * second, 120 * second} {
		if b.wait(w) != 0 {
			t.Fatalf("before refusal %d, the wait is %s", i, b.wait(w))
		}
		// Eight workers got the same answer.
		for range 8 {
			b.refused(w, "QuotaExceeded")
		}
		if got := b.wait(w); got != want {
			t.Errorf("after refusal %d, the wait is %s, want %s", i, got, want)
		}
		clock.SetTime(clock.Now().Add(want))
	}
	b.refused(w, "QuotaExceeded")
	if b.wait(other) != 0 || b.wait(write{"another", verbCreate}) != 0 {
		t.Error("other writes wait, too")
	}
	if b.accepted(w); b.wait(w) != 0 {
		t.Errorf("after a success, the wait is %s", b.wait(w))
	}
	if b.refused(w, "QuotaExceeded"); b.wait(w) != second {
		t.Errorf("after a success and a refusal, the wait is %s, want %s", b.wait(w), second)
	}
}

func TestRefusalIsAnnouncedOnce(t *testing.T) {
	t.Parallel()
	clock := testingclock.NewFakePassiveClock(now)
	b, w := newBackoff(clock), write{"team", verbCreate}
	for _, tc := range []struct {
		after    time.Duration
		reason   string
		announce bool
	}{
		{0, "QuotaExceeded", true},
		{time.Second, "QuotaExceeded", false},
		{time.Minute, "DeniedByPolicy", true},
		{time.Hour, "DeniedByPolicy", true},
	} {
		clock.SetTime(clock.Now().Add(tc.after))
		if got := b.refused(w, tc.reason); got != tc.announce {
			t.Errorf("%s later, %s is announced: %t, want %t", tc.after, tc.reason, got, tc.announce)
		}
		b.accepted(w)
	}
}
