// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package expiry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
)

// world holds what a Guard sees.
type world struct {
	clock    *testingclock.FakePassiveClock
	ahead    time.Duration
	objects  []Expiry
	counts   int
	err      error
	recorder *events.FakeRecorder
}

func newWorld(objects ...Expiry) *world {
	return &world{clock: testingclock.NewFakePassiveClock(now), objects: objects, recorder: events.NewFakeRecorder(10)}
}

// guard returns a Guard of the world for a kind that no other test uses.
func (w *world) guard(t *testing.T, allowMass bool) *Guard {
	return NewGuard(t.Name(), Options{
		Clock: w.clock, Ahead: func() time.Duration { return w.ahead }, AllowMass: allowMass, Recorder: w.recorder, Object: &coordinationv1.Lease{},
	}, func(_ context.Context, visit func(Expiry)) error {
		w.counts++
		for _, e := range w.objects {
			visit(e)
		}
		return w.err
	})
}

// events returns the reasons of the Events since the last call.
func (w *world) events() string {
	var reasons []string
	for {
		select {
		case event := <-w.recorder.Events:
			reasons = append(reasons, strings.Fields(event)[1])
		default:
			return strings.Join(reasons, " ")
		}
	}
}

func (w *world) expectEvents(t *testing.T, want string) {
	t.Helper()
	if got := w.events(); got != want {
		t.Errorf("Events = %q, want %q", got, want)
	}
}

// times returns n equal expiries.
func times(n int, e Expiry) []Expiry {
	list := make([]Expiry, n)
	for i := range list {
		list[i] = e
	}
	return list
}

// expectWait makes a Guard decide, and checks how long it wants to wait.
func expectWait(t *testing.T, g *Guard, e Expiry, least, most time.Duration) {
	t.Helper()
	if wait, _, err := g.Decide(t.Context(), e); err != nil || wait < least || wait > most {
		t.Errorf("Decide = %s, %v; want to wait for %s to %s", wait, err, least, most)
	}
}

func TestOrdinaryExpiriesAreNotCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(times(1000, recordedFor(0))...)
	g := w.guard(t, false)
	for _, e := range w.objects {
		expectWait(t, g, e, 0, 0)
	}
	w.expectEvents(t, "")
	if w.counts != 0 {
		t.Errorf("counted %d times, want 0", w.counts)
	}
}

func TestAMassExpiryIsHeldBackAndAnnounced(t *testing.T) {
	t.Parallel()
	early := recordedFor(-time.Hour)
	early.At = now
	w := newWorld(times(150, early)...)
	g := w.guard(t, false)
	for _, e := range w.objects {
		expectWait(t, g, e, recheckAfter, 2*recheckAfter)
	}
	expectWait(t, g, recordedFor(0), 0, 0)
	w.expectEvents(t, "MassExpiry")
	if w.counts != 1 {
		t.Errorf("counted %d times at the same moment, want once", w.counts)
	}

	w.clock.SetTime(now.Add(announceInterval - time.Second))
	expectWait(t, g, early, recheckAfter, 2*recheckAfter)
	w.expectEvents(t, "")
	w.clock.SetTime(now.Add(2 * announceInterval))
	expectWait(t, g, early, recheckAfter, 2*recheckAfter)
	w.expectEvents(t, "MassExpiry")

	// Somebody deletes them.
	w.objects = nil
	w.clock.SetTime(now.Add(3 * announceInterval))
	if err := g.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.expectEvents(t, "")
	counts := w.counts
	w.clock.SetTime(now.Add(4 * announceInterval))
	if err := g.Refresh(t.Context()); err != nil || w.counts != counts {
		t.Errorf("counted although there was nothing to announce: %v", err)
	}
}

func TestAMassExpiryIsAllowedByAFlag(t *testing.T) {
	t.Parallel()
	w := newWorld(times(150, Expiry{At: now})...)
	g := w.guard(t, true)
	for _, e := range w.objects {
		expectWait(t, g, e, 0, 0)
	}
	w.expectEvents(t, "UnexpectedExpiry")
}

func TestUnexpectedExpiriesArePaced(t *testing.T) {
	t.Parallel()
	w := newWorld(append(times(50, Expiry{At: now}), times(100, recordedFor(-time.Hour))...)...)
	g := w.guard(t, false)
	for second := range 3 {
		w.clock.SetTime(now.Add(time.Duration(second) * time.Second))
		for range pace {
			expectWait(t, g, Expiry{At: now}, 0, 0)
		}
		expectWait(t, g, Expiry{At: now}, 5*time.Second, 10*time.Second)
	}
	w.expectEvents(t, "UnexpectedExpiry")
}

func TestAWrongClockHoldsBackEverything(t *testing.T) {
	t.Parallel()
	w := newWorld(times(3, recordedFor(0))...)
	g := w.guard(t, true)
	w.ahead = time.Hour
	expectWait(t, g, recordedFor(0), recheckAfter, 2*recheckAfter)
	w.expectEvents(t, "ClockSkew")
	w.ahead = 0
	expectWait(t, g, recordedFor(0), 0, 0)
}

func TestNothingIsDeletedUncounted(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.err = errors.New("no cache")
	if wait, cause, err := w.guard(t, false).Decide(t.Context(), Expiry{At: now}); !errors.Is(err, w.err) {
		t.Errorf("Decide = %s, %q, %v; want %v", wait, cause, err, w.err)
	}
}

func TestTheLongestAnnouncementFitsAnEvent(t *testing.T) {
	t.Parallel()
	many := tally{all: 1e9, expired: 1e9, unexpected: map[Cause]int{NotRecorded: 1e8, Earlier: 1e8, Overdue: 1e8}}
	s := &situation{ahead: 1e9 * time.Second, tally: many}
	if note := fmt.Sprint(many.describe(), s.announcement().outcome); len(note) > 700 {
		t.Errorf("the tally and the outcome have %d bytes, want at most 700", len(note))
	}
}
