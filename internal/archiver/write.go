// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"joberror.io/operator/internal/archive"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/truncate"
)

const (
	// writeTimeout limits one attempt to write a batch.
	writeTimeout = 2 * time.Minute
	// maxProblem limits the bytes of the store's error, which joins those of all objects.
	maxProblem = 1024
)

// write writes one batch.
func (a *Archiver) write(ctx context.Context, b *batch) {
	a.writing.Lock()
	defer a.writing.Unlock()
	a.mu.Lock()
	items := a.queue.itemsOf(b)
	a.mu.Unlock()
	r := a.writeItems(ctx, items)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.wakes = append(a.wakes, a.queue.finish(b, r, a.Clock.Now())...)
}

// writeItems reads records and writes them. The caller holds the lock for writing.
func (a *Archiver) writeItems(ctx context.Context, items []Item) result {
	read, err := a.read(ctx, items)
	r := result{gone: read.gone}
	if err != nil && ctx.Err() == nil {
		log.FromContext(ctx).Error(err, "Expired errors are not archived yet, because they can't be read")
	}
	if len(read.entries) == 0 {
		r.unread = err != nil || read.incomplete
		return r
	}
	written, err := a.store(ctx, read.entries)
	r.failed = err != nil && ctx.Err() == nil
	for _, e := range written {
		r.written = append(r.written, itemOf(e.Error, time.Time{}))
	}
	return r
}

// store writes entries and returns those that the store has acknowledged. The caller holds
// the lock for writing.
func (a *Archiver) store(ctx context.Context, entries []archive.Entry) ([]archive.Entry, error) {
	limited, cancel := context.WithTimeout(ctx, writeTimeout)
	defer cancel()
	began := a.Clock.Now()
	written, err := a.Store.Write(limited, a.cluster, entries)
	if len(written) > 0 {
		metrics.ArchiveWrote(len(written), a.Clock.Since(began))
		log.FromContext(ctx).Info("Archived errors", "count", len(written))
	}
	if err != nil && ctx.Err() == nil {
		problem := truncate.Bytes(err.Error(), maxProblem)
		metrics.ArchiveFailed(archive.Reason(err))
		log.FromContext(ctx).Info("The archive could not be written", "reason", archive.Reason(err), "left", len(entries)-len(written), "error", problem)
		a.mu.Lock()
		a.problem = problem
		a.mu.Unlock()
	}
	return written, err
}

// findCluster reads the UID of the namespace kube-system, which identifies the cluster. The
// caller holds the lock for writing.
func (a *Archiver) findCluster(ctx context.Context) error {
	if a.cluster != "" {
		return nil
	}
	namespace, err := joblink.Namespace(ctx, a.Cached, metav1.NamespaceSystem)
	if err != nil {
		return fmt.Errorf("read namespace %s: %w", metav1.NamespaceSystem, err)
	}
	a.cluster = namespace.UID
	return nil
}
