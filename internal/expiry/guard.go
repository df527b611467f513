// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package expiry

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"joberror.io/operator/internal/metrics"
)

const (
	// countInterval is the shortest time between two counts of all objects of a kind.
	countInterval = 10 * time.Second
	// announceInterval is the time after which a lasting situation is announced again.
	announceInterval = 10 * time.Minute
)

// Options hold what the guards of all kinds have in common.
type Options struct {
	// Clock decides what has expired.
	Clock clock.PassiveClock
	// Ahead returns how far that clock is ahead of the API server's.
	Ahead func() time.Duration
	// AllowMass deletes unexpectedly expired objects without a limit.
	AllowMass bool
	// Recorder writes Events about Object.
	Recorder events.EventRecorder
	Object   runtime.Object
}

// Guard decides whether the expired objects of one kind are deleted. An object that expires
// when its status said so is deleted. Other expiries are unexpected: they are announced, and
// the objects are deleted at a bounded pace, or not at all if they are more than half.
// Nothing is deleted while the clock is wrong.
type Guard struct {
	Options
	kind string
	// each calls visit for every object of the kind in the cache.
	each    func(ctx context.Context, visit func(Expiry)) error
	limiter *rate.Limiter

	mu          sync.Mutex
	tally       tally
	countedAt   time.Time
	announced   announcement
	announcedAt time.Time
}

// NewGuard returns a Guard for the objects of a kind. each calls visit for all of them.
func NewGuard(kind string, options Options, each func(ctx context.Context, visit func(Expiry)) error) *Guard {
	g := &Guard{Options: options, kind: kind, each: each, limiter: rate.NewLimiter(pace, pace)}
	g.measure(announcement{})
	return g
}

// Decide returns 0 if an expired object may be deleted now, and the cause if its expiry is
// unexpected. Otherwise it returns how long to wait before the next decision.
func (g *Guard) Decide(ctx context.Context, e Expiry) (time.Duration, Cause, error) {
	now := g.Clock.Now()
	s := &situation{cause: e.cause(now), ahead: g.Ahead(), allowMass: g.AllowMass, now: now, limiter: g.limiter}
	if !s.isOrdinary() || s.clocksDiffer() {
		var err error
		if s.tally, err = g.count(ctx); err != nil {
			return 0, "", err
		}
	}
	reason := s.decide()
	if reason == "" {
		return 0, s.cause, nil
	}
	return wait.Jitter(s.waitFor(reason), 1), s.cause, nil
}

// count returns a recent tally. It counts again, and announces the situation, if the last
// count is old.
func (g *Guard) count(ctx context.Context) (tally, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.Clock.Now()
	if !g.countedAt.IsZero() && now.Sub(g.countedAt).Abs() < countInterval {
		return g.tally, nil
	}
	counted := tally{}
	if err := g.each(ctx, func(e Expiry) { counted.add(e, now) }); err != nil {
		return tally{}, fmt.Errorf("count what has expired: %w", err)
	}
	g.tally, g.countedAt = counted, now
	g.announce(now)
	return counted, nil
}

// Refresh counts again while there is something to announce, so that the metrics follow.
func (g *Guard) Refresh(ctx context.Context) error {
	g.mu.Lock()
	quiet := g.announced == (announcement{})
	g.mu.Unlock()
	if quiet {
		return nil
	}
	_, err := g.count(ctx)
	return err
}

// announce sets the metrics. It writes a log line and an Event if the situation has changed,
// and again if it lasts.
func (g *Guard) announce(now time.Time) {
	s := &situation{ahead: g.Ahead(), allowMass: g.AllowMass, tally: g.tally}
	current := s.announcement()
	g.measure(current)
	changed := current.reason != g.announced.reason
	if !changed && (current.reason == "" || now.Sub(g.announcedAt).Abs() < announceInterval) {
		return
	}
	g.announced, g.announcedAt = current, now
	logger := log.Log.WithName("expiry")
	if current.reason == "" {
		logger.Info("Expiry is back to normal", "kind", g.kind)
		return
	}
	logger.Info("Objects have expired unexpectedly, or are held back", "kind", g.kind, "reason", current.reason, "expired", g.tally.expired,
		"all", g.tally.all, "unexpected", g.tally.unexpected, "outcome", current.outcome)
	g.Recorder.Eventf(g.Object, nil, current.eventType, string(current.reason), "Expire"+g.kind,
		"%d of %d %ss expired%s; %s", g.tally.expired, g.tally.all, g.kind, g.tally.describe(), current.outcome)
}

// measure sets the metric of what is held back, for both reasons.
func (g *Guard) measure(current announcement) {
	for _, reason := range []Reason{ClockSkew, MassExpiry} {
		held := 0
		if reason == current.reason {
			held = current.held
		}
		metrics.SetHeldBack(g.kind, string(reason), held)
	}
}
