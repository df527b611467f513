// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

var start = time.Date(2026, time.November, 26, 23, 59, 30, 0, time.UTC)

const interval = 5 * time.Minute

func item(n int) Item {
	return Item{
		Key: types.NamespacedName{Namespace: "team", Name: fmt.Sprint(n)}, UID: types.UID(fmt.Sprint(n)), Version: "1",
		ExpiresAt: start.Add(time.Duration(n) * time.Second),
	}
}

// queueOf returns a queue with records 0 to n-1 that were added at the start.
func queueOf(n, limit, size int) *queue {
	q := newQueue(interval, limit)
	q.size = size
	for i := range n {
		q.add(item(i), start)
	}
	return q
}

func uids(items []Item) string {
	var list []string
	for _, item := range items {
		list = append(list, string(item.UID))
	}
	return fmt.Sprint(list)
}

func mustNext(t *testing.T, q *queue, now time.Time) *batch {
	t.Helper()
	b := q.next(now)
	if b == nil {
		t.Fatalf("no batch at %s", now)
	}
	return b
}

func TestABatchClosesWhenItIsFullOrOld(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		n     int
		after time.Duration
		want  int
	}{
		{"nothing waits", 0, time.Hour, 0},
		{"neither full nor old", 2, interval - 1, 0},
		{"old, after midnight", 2, interval, 2},
		{"full", 3, 0, 3},
		{"more than full", 5, 0, 3},
	} {
		q := queueOf(tc.n, 0, 3)
		got := 0
		if b := q.next(start.Add(tc.after)); b != nil {
			got = len(b.uids)
		}
		if got != tc.want {
			t.Errorf("%s: the batch has %d records, want %d", tc.name, got, tc.want)
		}
	}
}

func TestWhatIsWrittenIsAcknowledgedOnce(t *testing.T) {
	t.Parallel()
	q := queueOf(3, 0, 3)
	q.forget("1")
	b := mustNext(t, q, start)
	items := q.itemsOf(b)
	if got := uids(items); got != "[0 2]" {
		t.Fatalf("the batch has %s, want 0 and 2", got)
	}
	items[1].Version = "2"
	if got := q.finish(b, result{written: items}, start); uids(got) != "[0 2]" {
		t.Errorf("acknowledged %s, want 0 and 2", uids(got))
	}
	if q.stateOf("0", "1") != Written || q.stateOf("2", "1") != Unknown || q.stateOf("2", "2") != Written || q.stateOf("1", "1") != Unknown {
		t.Errorf("the states are %s, %s, %s", q.stateOf("0", "1"), q.stateOf("2", "1"), q.stateOf("2", "2"))
	}
	if q.count != 0 || !q.oldest().IsZero() {
		t.Errorf("%d records wait, the oldest since %s", q.count, q.oldest())
	}
	// The record has changed since.
	changed := item(0)
	changed.Version = "5"
	if got := q.add(changed, start); got != Waiting || q.stateOf("0", "1") != Waiting || q.count != 1 {
		t.Errorf("a changed record is %s", got)
	}
	if got := q.finish(b, result{written: []Item{item(7)}}, start); len(got) > 0 {
		t.Errorf("acknowledged %s, which was forgotten", uids(got))
	}
}

func TestAFailedBatchIsWrittenAgainAsItWas(t *testing.T) {
	t.Parallel()
	q := queueOf(3, 0, 3)
	first := mustNext(t, q, start)
	q.finish(first, result{failed: true}, start)
	q.add(item(3), start)
	if b := q.next(start.Add(time.Second - 1)); b != nil {
		t.Fatal("a batch is due at once, want a second later")
	}
	second := mustNext(t, q, start.Add(time.Second))
	if got := uids(q.itemsOf(second)); got != "[0 1 2]" {
		t.Errorf("the second attempt has %s, want the same records", got)
	}
	// A part of it is written.
	q.finish(second, result{written: []Item{item(1)}, failed: true}, start.Add(time.Second))
	third := mustNext(t, q, start.Add(3*time.Second))
	if got := uids(q.itemsOf(third)); got != "[0 2]" || !q.failing.IsZero() {
		t.Errorf("the third attempt has %s, want the rest", got)
	}
}

func TestABatchThatAlwaysFailsDoesNotBlockOthers(t *testing.T) {
	t.Parallel()
	q := queueOf(40, 0, 2)
	now, written := start, 0
	for now.Before(start.Add(time.Hour)) && written < 38 {
		b := q.next(now)
		if b == nil {
			now = now.Add(time.Second)
			continue
		}
		items := q.itemsOf(b)
		if slices.ContainsFunc(items, func(i Item) bool { return i.UID == "0" }) {
			q.finish(b, result{failed: true}, now)
			continue
		}
		written += len(q.finish(b, result{written: items}, now))
	}
	if written != 38 {
		t.Errorf("wrote %d of the other records, want 38", written)
	}
}

// A store may refuse some records for good, for example those of one namespace.
func TestRefusedRecordsDoNotBlockOthers(t *testing.T) {
	t.Parallel()
	refused := func(i Item) bool { return len(i.UID) == 2 }
	for name, size := range map[string]int{"in batches of their own": 1, "in each batch": 20} {
		q := newQueue(interval, 0)
		q.size = size
		added, written := 0, 0
		for now := start; now.Before(start.Add(24 * time.Hour)); now = now.Add(time.Second) {
			if now.Sub(start)%interval == 0 && added < 10 {
				// Ten batches are refused, in whole or in part. The last record is allowed.
				for n := range size / 2 {
					q.add(item(added*100+100+n), now)
				}
				q.add(item(10+added), now)
				if added++; added == 10 {
					q.add(item(0), now)
				}
			}
			b := q.next(now)
			if b == nil {
				continue
			}
			items := q.itemsOf(b)
			allowed := slices.DeleteFunc(slices.Clone(items), refused)
			written += len(q.finish(b, result{written: allowed, failed: len(allowed) < len(items)}, now))
		}
		if want := 10*(size/2) + 1; written != want || q.count != 10 {
			t.Errorf("%s: wrote %d records and %d wait, want %d and 10", name, written, q.count, want)
		}
		if most := maxClosed + q.count/size; len(q.closed) > most {
			t.Errorf("%s: %d batches wait, want at most %d", name, len(q.closed), most)
		}
	}
}

func TestWhatIsGoneLeavesTheQueue(t *testing.T) {
	t.Parallel()
	q := queueOf(3, 0, 3)
	b := mustNext(t, q, start)
	q.finish(b, result{gone: []types.UID{"0", "2"}}, start)
	if got := uids(q.itemsOf(mustNext(t, q, start))); got != "[1]" || q.count != 1 {
		t.Errorf("left %s, want 1", got)
	}
}

func TestOldest(t *testing.T) {
	t.Parallel()
	expect := func(when string, q *queue, want time.Time) {
		t.Helper()
		if got := q.oldest(); !got.Equal(want) {
			t.Errorf("%s: the oldest has waited since %s, want %s", when, got, want)
		}
	}
	q := queueOf(3, 0, 3)
	later := start.Add(time.Minute)
	b := mustNext(t, q, later)
	q.add(item(3), later)
	q.finish(b, result{failed: true}, later)
	expect("a batch failed", q, start)
	q.finish(mustNext(t, q, later.Add(time.Second)), result{written: []Item{item(0), item(1), item(2)}}, later)
	expect("it was written", q, later)
	q.forget("3")
	expect("nothing waits", q, time.Time{})
}
