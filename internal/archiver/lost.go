// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/truncate"
)

const (
	// reasonLost is the reason of the Event about records that were not archived.
	reasonLost = "ArchiveLost"
	// lostInterval is the shortest time between two announcements of lost records.
	lostInterval = time.Minute
	// maxNote limits the bytes of an Event's note.
	maxNote = 1000
)

// losses sums the records that were deleted without being archived, until they are announced.
type losses struct {
	count       int
	announcedAt time.Time
}

// due returns how many records to announce now.
func (l *losses) due(now time.Time) int {
	if l.count == 0 || now.Sub(l.announcedAt).Abs() < lostInterval {
		return 0
	}
	n := l.count
	l.count, l.announcedAt = 0, now
	return n
}

// CountLost counts records that were deleted without being archived.
func (a *Archiver) CountLost(n int) {
	metrics.ArchiveLost(n)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.losses.count += n
}

// announceLost writes a log line and an Event about lost records. The caller holds the lock.
func (a *Archiver) announceLost(ctx context.Context, now time.Time) {
	n := a.losses.due(now)
	if n == 0 {
		return
	}
	log.FromContext(ctx).Info("Deleted errors without archiving them, because too many wait", "count", n, "limit", a.Backlog)
	a.Recorder.Eventf(a.Object, nil, corev1.EventTypeWarning, reasonLost, "Archive", "%s", truncate.Bytes(fmt.Sprintf(
		"%d errors were deleted without being archived, because more than %d wait (--archive-backlog): %s", n, a.Backlog, a.problem), maxNote))
}
