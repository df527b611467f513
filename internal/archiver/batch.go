// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// batch holds records that are written together. After a failure they are written together
// again, which gives their objects the same names. While many batches fail, they are joined.
type batch struct {
	uids []types.UID
	// since is when the first record was added.
	since    time.Time
	attempts int
	// notBefore is when the next attempt may begin.
	notBefore time.Time
}

// fail notes that an attempt has failed. limit is the longest time until the next one.
func (b *batch) fail(now time.Time, limit time.Duration) {
	b.attempts++
	b.notBefore = now.Add(backoff(b.attempts, limit))
}

// join adds the records of another batch that failed.
func (b *batch) join(other *batch) {
	b.uids = append(b.uids, other.uids...)
	if other.since.Before(b.since) {
		b.since = other.since
	}
	if other.notBefore.After(b.notBefore) {
		b.notBefore = other.notBefore
	}
}

// result holds the outcome of an attempt to write a batch.
type result struct {
	// written holds the versions that the store has acknowledged.
	written []Item
	// gone holds the records that the API server no longer has.
	gone []types.UID
	// unread says that the store was not called, because the records could not be read or their
	// status is not complete yet.
	unread bool
	// failed says that the store failed. It stays false if the rest only did not fit into memory.
	failed bool
}
