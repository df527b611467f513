// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorretry

import (
	"context"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/restore"
	"joberror.io/operator/internal/retry"
)

// keepRestored gives a retry that was restored from a backup the status that it had. It is
// never carried out again. keepRestored returns the time until the next reconcile.
func (r *Reconciler) keepRestored(ctx context.Context, jet *joberrorv1.JobErrorRetry, left time.Duration) (time.Duration, error) {
	if wait := restore.Wait(jet, len(jet.Status.Conditions) > 0, r.Clock.Now()); wait > 0 {
		return wait, nil
	}
	before := jet.DeepCopy()
	jet.Status = restore.RetryStatus(jet)
	if retry.IsComplete(jet) {
		return left, r.patchStatus(ctx, before, jet)
	}
	return left, r.completeFrom(ctx, before, jet, outcome{
		reason: joberrorv1.ReasonRestored, message: "restored from a backup that does not show it complete; it is not carried out again",
	})
}
