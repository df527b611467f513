// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"testing"
	"time"
)

func TestAStoreThatIsDownGetsFewAttempts(t *testing.T) {
	t.Parallel()
	q := newQueue(interval, 0)
	now, attempts := start, 0
	for n := 0; now.Before(start.Add(24 * time.Hour)); n++ {
		q.add(item(n), now)
		if b := q.next(now); b != nil {
			attempts++
			q.finish(b, result{failed: true}, now)
		}
		now = now.Add(10 * time.Second)
	}
	if attempts > 24*60+10 || attempts < 23*60 {
		t.Errorf("made %d attempts in a day, want one per minute", attempts)
	}
	if len(q.closed) > maxClosed {
		t.Errorf("%d batches are closed, want at most %d", len(q.closed), maxClosed)
	}
}

func TestOverflowGivesUpTheLongestExpired(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name          string
		limit, others int
		failed        bool
		after         time.Duration
		want          string
	}{
		{"the store works", 4, 0, false, time.Hour, "[]"},
		{"the store has just failed", 4, 0, true, interval - 1, "[]"},
		{"the store is down", 4, 0, true, interval, "[0 1]"},
		{"others wait, too", 4, 3, true, interval, "[0 1 2 3 4]"},
		{"more others than the limit", 4, 100, true, interval, "[0 1 2 3 4 5]"},
		{"room for all", 6, 0, true, interval, "[]"},
		{"without a limit", 0, 0, true, interval, "[]"},
	} {
		q := queueOf(6, tc.limit, 3)
		if tc.failed {
			q.finish(mustNext(t, q, start), result{failed: true}, start)
		}
		if got := uids(q.overflow(tc.others, start.Add(tc.after))); got != tc.want {
			t.Errorf("%s: gave up %s, want %s", tc.name, got, tc.want)
		}
	}
}

func TestABatchThatIsWrittenInPartsIsNotGivenUp(t *testing.T) {
	t.Parallel()
	q := queueOf(6, 1, 6)
	now := start
	for n := range 5 {
		b := mustNext(t, q, now)
		q.finish(b, result{written: []Item{item(n)}, failed: true}, now)
		if lost := q.review(0, now); len(lost) > 0 {
			t.Errorf("gave up %s although the store writes", uids(lost))
		}
		now = now.Add(interval)
	}
}

func TestStuckRecordsAreAnnouncedOnce(t *testing.T) {
	t.Parallel()
	q := queueOf(3, 0, 3)
	q.finish(mustNext(t, q, start), result{failed: true}, start)
	if got := q.unannounced(start.Add(interval - 1)); len(got) > 0 {
		t.Errorf("announced %s too early", uids(got))
	}
	if got := uids(q.unannounced(start.Add(interval))); got != "[0 1 2]" {
		t.Errorf("announced %s, want all", got)
	}
	if got := q.unannounced(start.Add(2 * interval)); len(got) > 0 {
		t.Errorf("announced %s again", uids(got))
	}
}

func TestTheQueueIsReviewedAfterAFailedAttempt(t *testing.T) {
	t.Parallel()
	q := queueOf(3, 2, 2)
	expect := func(when string, now time.Time, want string) {
		t.Helper()
		if got := uids(q.review(0, now)); got != want {
			t.Errorf("%s: woke up %s, want %s", when, got, want)
		}
	}
	fail := func(now time.Time) { q.finish(mustNext(t, q, now), result{failed: true}, now) }
	fail(start)
	expect("the store has just failed", start, "[]")
	expect("nothing was tried", start.Add(interval), "[]")
	fail(start.Add(interval))
	expect("an interval later, for one there is no room", start.Add(interval), "[0 2 1]")
	q.add(item(3), start.Add(interval))
	expect("nothing was tried", start.Add(interval), "[]")
	q.observe(false, true, start.Add(interval))
	expect("another record came", start.Add(interval), "[1 3]")
}
