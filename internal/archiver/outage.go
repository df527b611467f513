// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// outage holds how the store has failed lately.
type outage struct {
	// failures counts the attempts in a row that wrote nothing. failing is when they began.
	failures int
	failing  time.Time
	// notBefore is when the next attempt may begin.
	notBefore time.Time
	// unreviewed is set from a failed attempt to the next review.
	unreviewed bool
}

// observe takes the outcome of an attempt. A store that has written something is not down.
func (q *queue) observe(wrote, failed bool, now time.Time) {
	q.unreviewed = q.unreviewed || failed
	if wrote || !failed {
		q.failures, q.failing, q.notBefore = 0, time.Time{}, time.Time{}
		return
	}
	if q.failures++; q.failing.IsZero() {
		q.failing = now
	}
	q.notBefore = now.Add(backoff(q.failures, q.interval))
}

// review returns the records to wake up because the store fails: those that are given up, and
// those that get their condition. It walks the queue only after a failed attempt, because
// hundreds of thousands may wait. others is how many more records wait outside the queue.
func (q *queue) review(others int, now time.Time) []Item {
	if !q.unreviewed {
		return nil
	}
	q.unreviewed = false
	return append(q.overflow(others, now), q.unannounced(now)...)
}

// stuck returns the records that have waited through a whole interval of failures.
func (q *queue) stuck(now time.Time) []*waiting {
	var stuck []*waiting
	down := q.hasFailed(q.failing, now)
	add := func(uids []types.UID) {
		for _, uid := range uids {
			if w, known := q.items[uid]; known && w.state == Waiting && (down || q.hasFailed(w.failing, now)) {
				stuck = append(stuck, w)
			}
		}
	}
	// The records of the open batch were not tried yet.
	if down {
		add(q.open)
	}
	for _, b := range q.closed {
		add(b.uids)
	}
	return stuck
}

// hasFailed reports whether failures that began at a time have lasted for an interval.
func (q *queue) hasFailed(since, now time.Time) bool {
	return !since.IsZero() && now.Sub(since) >= q.interval
}

// unannounced returns the stuck records that have no condition yet. It returns each only once.
func (q *queue) unannounced(now time.Time) []Item {
	var items []Item
	for _, w := range q.stuck(now) {
		if !w.announced {
			w.announced = true
			items = append(items, w.Item)
		}
	}
	return items
}

// overflow gives up the stuck records above the limit, those that expired first, and returns
// them. others is how many more records wait outside the queue.
func (q *queue) overflow(others int, now time.Time) []Item {
	surplus := q.count + others - q.limit
	if q.limit == 0 || surplus <= 0 {
		return nil
	}
	stuck := q.stuck(now)
	slices.SortFunc(stuck, func(a, b *waiting) int {
		return cmp.Or(a.ExpiresAt.Compare(b.ExpiresAt), cmp.Compare(a.UID, b.UID))
	})
	var lost []Item
	for _, w := range stuck[:min(surplus, len(stuck))] {
		q.leave(w)
		w.state = Lost
		lost = append(lost, w.Item)
	}
	return lost
}
