// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package expiry

import (
	"testing"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
)

// tallyOf returns a tally with unexpected expiries only.
func tallyOf(all, unexpected int) tally {
	return tally{all: all, expired: unexpected, unexpected: map[Cause]int{Earlier: unexpected}}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tc := range []struct {
		name      string
		cause     Cause
		ahead     time.Duration
		allowMass bool
		tally     tally
		// tokens is how many unexpected expiries the pace still allows.
		tokens int
		want   Reason
		// announced is the reason for which the tally is announced.
		announced Reason
		held      int
	}{
		{name: "an ordinary expiry", tally: tallyOf(10, 0)},
		{name: "an ordinary expiry during a mass expiry", tally: tallyOf(200, 199), announced: MassExpiry, held: 199},
		{name: "an ordinary expiry with a small difference of the clocks", ahead: 5 * time.Minute, tally: tallyOf(10, 0)},
		{name: "a clock that is ahead holds back an ordinary expiry", ahead: 5*time.Minute + 1, tally: tally{all: 10, expired: 3}, want: ClockSkew, announced: ClockSkew, held: 3},
		{name: "a clock that is behind, too", ahead: -day, tally: tally{all: 10, expired: 3}, want: ClockSkew, announced: ClockSkew, held: 3},
		{name: "a wrong clock holds back even what is allowed", cause: Overdue, ahead: day, allowMass: true, tally: tallyOf(200, 199), want: ClockSkew, announced: ClockSkew, held: 199},
		{name: "one unexpected expiry", cause: NotRecorded, tally: tallyOf(10, 1), tokens: 1, announced: Unexpected},
		{name: "all of a few", cause: Earlier, tally: tallyOf(99, 99), tokens: 1, announced: Unexpected},
		{name: "all of a hundred", cause: Earlier, tally: tallyOf(100, 100), tokens: 1, want: MassExpiry, announced: MassExpiry, held: 100},
		{name: "exactly half", cause: Earlier, tally: tallyOf(300, 150), tokens: 1, announced: Unexpected},
		{name: "more than half", cause: Earlier, tally: tallyOf(300, 151), tokens: 1, want: MassExpiry, announced: MassExpiry, held: 151},
		{name: "more than half of an odd number", cause: Earlier, tally: tallyOf(301, 151), tokens: 1, want: MassExpiry, announced: MassExpiry, held: 151},
		{name: "more than half, if that is allowed", cause: Earlier, allowMass: true, tally: tallyOf(300, 300), announced: Unexpected},
		{name: "the pace is reached", cause: Overdue, tally: tallyOf(1000, 50), want: Paced, announced: Unexpected},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := &situation{cause: tc.cause, ahead: tc.ahead, allowMass: tc.allowMass, tally: tc.tally, now: now, limiter: rate.NewLimiter(0, tc.tokens)}
			if got := s.decide(); got != tc.want {
				t.Errorf("held back for %q, want %q", got, tc.want)
			}
			got := s.announcement()
			if got.reason != tc.announced || got.held != tc.held || (got.outcome == "") != (tc.announced == "") || (got.eventType == corev1.EventTypeWarning) != (tc.held > 0) {
				t.Errorf("announcement = %+v, want %q with %d held back", got, tc.announced, tc.held)
			}
		})
	}
}

func TestWaitFor(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		reason     Reason
		unexpected int
		want       time.Duration
	}{
		{ClockSkew, 1, 10 * time.Minute},
		{MassExpiry, 100, 10 * time.Minute},
		{Paced, 1, time.Second},
		{Paced, 200, 20 * time.Second},
		{Paced, 100_000, 10 * time.Minute},
	} {
		s := &situation{tally: tallyOf(tc.unexpected, tc.unexpected)}
		if got := s.waitFor(tc.reason); got != tc.want {
			t.Errorf("waitFor(%s) with %d = %s, want %s", tc.reason, tc.unexpected, got, tc.want)
		}
	}
}
