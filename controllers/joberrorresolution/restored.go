// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/conditions"
	"joberror.io/operator/internal/resolution"
	"joberror.io/operator/internal/restore"
)

// keepRestored gives a resolution that was restored from a backup the status that it had.
// The resolution is never carried out again: since the backup, somebody may have reopened
// what it resolved. It returns the time until the next reconcile.
func (r *Reconciler) keepRestored(ctx context.Context, jer *joberrorv1.JobErrorResolution, left time.Duration) (time.Duration, error) {
	if resolution.IsComplete(jer) {
		return left, nil
	}
	now := r.Clock.Now()
	if wait := restore.Wait(jer, jer.Status.StartedAt != nil, now); wait > 0 {
		return wait, nil
	}
	status := restore.ResolutionStatus(jer)
	status.ObservedGeneration = jer.Generation
	if !meta.IsStatusConditionTrue(status.Conditions, joberrorv1.ConditionComplete) {
		meta.RemoveStatusCondition(&status.Conditions, joberrorv1.ConditionReconciling)
		conditions.Set(&status.Conditions, jer.Generation, now, joberrorv1.ConditionComplete, metav1.Condition{
			Status: metav1.ConditionTrue, Reason: joberrorv1.ReasonRestored,
			Message: "restored from a backup that does not show it complete; it is not carried out again",
		})
	}
	return left, r.patchStatus(ctx, jer, status, status.SnapshotResourceVersion)
}
