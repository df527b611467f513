// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const (
	// BatchSize limits the records of one batch.
	BatchSize = 10_000
	// maxClosed is how many batches may wait before failed ones are joined, up to the size of a batch.
	maxClosed = 8
)

// queue decides which records are written when. It does no I/O, and is not safe for
// concurrent use.
type queue struct {
	interval time.Duration
	// limit is how many records may wait while the store fails; 0 is unlimited.
	limit int
	size  int

	items map[types.UID]*waiting
	// count is how many items are waiting.
	count int
	// open collects records until it is full or old enough.
	open     []types.UID
	openedAt time.Time
	closed   []*batch
	outage
}

func newQueue(interval time.Duration, limit int) *queue {
	return &queue{interval: interval, limit: limit, size: BatchSize, items: map[types.UID]*waiting{}}
}

// add adds a version of a record and returns its state. A record that changed after it was
// written waits again.
func (q *queue) add(item Item, now time.Time) State {
	w, known := q.items[item.UID]
	switch {
	case !known:
		w = &waiting{}
		q.items[item.UID] = w
	case w.state == Waiting:
		w.ExpiresAt = item.ExpiresAt
		return Waiting
	case w.state == Lost, w.Version == item.Version:
		return w.state
	}
	*w = waiting{Item: item, state: Waiting}
	q.count++
	if len(q.open) == 0 {
		q.openedAt = now
	}
	q.open = append(q.open, item.UID)
	return Waiting
}

// stateOf returns the state of a version of a record.
func (q *queue) stateOf(uid types.UID, version string) State {
	w, known := q.items[uid]
	switch {
	case !known, w.state == Written && w.Version != version:
		return Unknown
	default:
		return w.state
	}
}

// forget removes a record that is deleted, or that no longer expires.
func (q *queue) forget(uid types.UID) {
	if w, known := q.items[uid]; known {
		q.leave(w)
		delete(q.items, uid)
	}
}

// leave stops counting a record as waiting.
func (q *queue) leave(w *waiting) {
	if w.state == Waiting {
		q.count--
	}
}

// next removes and returns the batch to write now; nil if none is due.
func (q *queue) next(now time.Time) *batch {
	q.close(now)
	if q.notBefore.After(now) {
		return nil
	}
	i := slices.IndexFunc(q.closed, func(b *batch) bool { return !b.notBefore.After(now) })
	if i < 0 {
		return nil
	}
	b := q.closed[i]
	q.closed = slices.Delete(q.closed, i, i+1)
	return b
}

// close closes the open batch if it is full or old enough.
func (q *queue) close(now time.Time) {
	for len(q.open) > 0 && (len(q.open) >= q.size || !now.Before(q.openedAt.Add(q.interval))) {
		n := min(len(q.open), q.size)
		q.closed = append(q.closed, &batch{uids: slices.Clone(q.open[:n]), since: q.openedAt})
		// The rest keeps openedAt: it may close early, but never late.
		q.open = slices.Clone(q.open[n:])
	}
}

// itemsOf returns the records of a batch that still wait.
func (q *queue) itemsOf(b *batch) []Item {
	items := make([]Item, 0, len(b.uids))
	for _, uid := range b.uids {
		if w, known := q.items[uid]; known && w.state == Waiting {
			items = append(items, w.Item)
		}
	}
	return items
}

// finish takes the result of a batch and returns the records that can be deleted. The others
// are written again later, after the other batches.
func (q *queue) finish(b *batch, r result, now time.Time) []Item {
	var acknowledged []Item
	for _, item := range r.written {
		w, known := q.items[item.UID]
		if !known || w.state != Waiting {
			continue
		}
		q.leave(w)
		w.state, w.Version = Written, item.Version
		acknowledged = append(acknowledged, w.Item)
	}
	for _, uid := range r.gone {
		q.forget(uid)
	}
	if r.unread {
		b.notBefore = now.Add(backoff(1, q.interval))
	} else {
		q.observe(len(r.written) > 0, r.failed, now)
	}
	b.uids = slices.DeleteFunc(b.uids, func(uid types.UID) bool {
		w, known := q.items[uid]
		return !known || w.state != Waiting
	})
	if r.failed {
		b.fail(now, q.interval)
		q.markFailing(b, len(r.written) > 0, now)
	}
	q.keep(b)
	return acknowledged
}

// markFailing notes since when each record that is left of a batch has failed. If others of the
// batch were written (wrote), the time starts again: the rest may only have run out of time.
func (q *queue) markFailing(b *batch, wrote bool, now time.Time) {
	for _, uid := range b.uids {
		if w := q.items[uid]; wrote || w.failing.IsZero() {
			w.failing = now
		}
	}
}

// keep saves what is left of a batch for another attempt. Once many batches wait, those that failed
// are joined. Otherwise, records that the store always refuses would fill more and more batches.
func (q *queue) keep(b *batch) {
	if len(b.uids) == 0 {
		return
	}
	if len(q.closed) >= maxClosed && b.attempts > 0 {
		for _, other := range q.closed {
			if other.attempts > 0 && len(other.uids)+len(b.uids) <= q.size {
				other.join(b)
				return
			}
		}
	}
	q.closed = append(q.closed, b)
}

// oldest returns since when the oldest batch has waited, except the one that is being written;
// zero if nothing waits.
func (q *queue) oldest() time.Time {
	var oldest time.Time
	if q.count == 0 {
		return oldest
	}
	if len(q.open) > 0 {
		oldest = q.openedAt
	}
	for _, b := range q.closed {
		if oldest.IsZero() || b.since.Before(oldest) {
			oldest = b.since
		}
	}
	return oldest
}
