// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"sync"
	"time"

	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
)

const (
	// minRefusalDelay is the delay after a namespace has refused a first write. Each
	// further refusal doubles it.
	minRefusalDelay = time.Second
	// maxRefusalDelay limits the delay. Once a namespace accepts writes again, its failures
	// are recorded within this time.
	maxRefusalDelay = 2 * time.Minute
	// announceAgain limits how often a refusal is announced for the same reason. It equals the
	// time that the API server keeps Events.
	announceAgain = time.Hour
)

// Verbs of the writes that a namespace may refuse: a quota refuses only to create.
const (
	verbCreate = "create"
	verbPatch  = "patch"
)

// write identifies the writes with one verb in one namespace.
type write struct{ namespace, verb string }

// backoff delays all writes with a verb in a namespace after one was refused. What refuses one
// record, such as a quota, most likely refuses the others.
type backoff struct {
	clock clock.PassiveClock

	mu sync.Mutex
	// refusals holds the latest refusal of each write.
	refusals *lru.Cache
}

// delay says how long a write waits after a refusal.
type delay struct {
	length time.Duration
	until  time.Time
	// announced holds the time when this reason was last announced.
	announced time.Time
	reason    string
}

func newBackoff(c clock.PassiveClock) *backoff {
	return &backoff{clock: c, refusals: lru.New(2 * maxJobs)}
}

// wait returns the time until the next attempt; zero if there was no refusal.
func (b *backoff) wait(w write) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	return max(0, b.of(w).until.Sub(b.clock.Now()))
}

// refused starts the delay after a refusal, and reports whether to announce it. Refusals of
// attempts that were made at the same time count as one.
func (b *backoff) refused(w write, reason string) (announce bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, d := b.clock.Now(), b.of(w)
	if !d.until.After(now) {
		d.length = min(max(2*d.length, minRefusalDelay), maxRefusalDelay)
		d.until = now.Add(d.length)
	}
	if announce = d.reason != reason || now.Sub(d.announced) >= announceAgain; announce {
		d.announced, d.reason = now, reason
	}
	b.refusals.Add(w, d)
	return announce
}

// accepted ends the delay.
func (b *backoff) accepted(w write) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d := b.of(w); d.length > 0 {
		d.length, d.until = 0, time.Time{}
		b.refusals.Add(w, d)
	}
}

func (b *backoff) of(w write) delay {
	value, _ := b.refusals.Get(w)
	d, _ := value.(delay)
	return d
}
