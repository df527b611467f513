// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"context"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/resolution"
)

// progress adds up the outcomes for a resolution's targets, and writes them to its status.
type progress struct {
	*Reconciler
	jer *joberrorv1.JobErrorResolution
	// snapshot is the resource version at which the request was made.
	snapshot string

	mu    sync.Mutex
	tally *resolution.Tally
}

// newProgress returns the progress of a resolution that starts now, or that continues
// after an interruption.
func (r *Reconciler) newProgress(jer *joberrorv1.JobErrorResolution, snapshot string) *progress {
	return &progress{Reconciler: r, jer: jer, snapshot: snapshot, tally: resolution.NewTally(jer, r.Clock.Now())}
}

// add adds an outcome.
func (p *progress) add(o resolution.Outcome) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tally.Add(o)
}

// status returns the present state.
func (p *progress) status() joberrorv1.JobErrorResolutionStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tally.Progress(p.Clock.Now())
}

// write writes the present state.
func (p *progress) write(ctx context.Context) error {
	return p.patchStatus(ctx, p.jer, p.status(), p.snapshot)
}

// complete writes the final state.
func (p *progress) complete(ctx context.Context) error {
	return p.patchStatus(ctx, p.jer, p.tally.Completed(p.Clock.Now()), p.snapshot)
}

// patchStatus writes a status, with the snapshot and the time of expiry added.
func (r *Reconciler) patchStatus(ctx context.Context, jer *joberrorv1.JobErrorResolution, status joberrorv1.JobErrorResolutionStatus, snapshot string) error {
	before := jer.DeepCopy()
	status.SnapshotResourceVersion = snapshot
	status.ExpiresAt = &metav1.Time{Time: r.Retention.RequestExpiresAt(jer)}
	jer.Status = status
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := r.Cached.Status().Patch(ctx, jer, patch); err != nil {
		return requeue.IfStale(fmt.Errorf("patch the status of JobErrorResolution: %w", err))
	}
	return nil
}
