// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorretry

import (
	"cmp"
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/conditions"
	"joberror.io/operator/internal/retry"
	"joberror.io/operator/internal/truncate"
)

// maxMessage limits the message of a condition, in bytes. It may contain what the API server
// or the Job controller said.
const maxMessage = 1024

// outcome says how a retry ended.
type outcome struct {
	succeeded       bool
	reason, message string
}

// refuse completes a retry whose Job does not run.
func (r *Reconciler) refuse(ctx context.Context, jet *joberrorv1.JobErrorRetry, refusal *retry.Refusal) error {
	return r.complete(ctx, jet, outcome{reason: string(refusal.Reason()), message: refusal.Message})
}

// complete writes the final status of a retry.
func (r *Reconciler) complete(ctx context.Context, jet *joberrorv1.JobErrorRetry, o outcome) error {
	return r.completeFrom(ctx, jet.DeepCopy(), jet, o)
}

// completeFrom writes the final status of a retry whose stored state is before.
func (r *Reconciler) completeFrom(ctx context.Context, before, jet *joberrorv1.JobErrorRetry, o outcome) error {
	now := r.Clock.Now()
	jet.Status.CompletedAt = &metav1.Time{Time: now}
	jet.Status.ExpiresAt = &metav1.Time{Time: r.Retention.RequestExpiresAt(jet)}
	condition := metav1.Condition{Status: metav1.ConditionTrue, Reason: o.reason, Message: truncate.Bytes(o.message, maxMessage)}
	conditions.Set(&jet.Status.Conditions, jet.Generation, now, joberrorv1.ConditionComplete, condition)
	if !o.succeeded {
		condition.Status = metav1.ConditionFalse
	}
	conditions.Set(&jet.Status.Conditions, jet.Generation, now, joberrorv1.ConditionSucceeded, condition)
	meta.RemoveStatusCondition(&jet.Status.Conditions, joberrorv1.ConditionReconciling)
	return r.patchStatus(ctx, before, jet)
}

// setRunning sets the conditions of a retry whose Job has not ended.
func (r *Reconciler) setRunning(jet *joberrorv1.JobErrorRetry, message string) {
	now := r.Clock.Now()
	jet.Status.ExpiresAt = &metav1.Time{Time: r.Retention.RequestExpiresAt(jet)}
	for kind, status := range map[string]metav1.ConditionStatus{
		joberrorv1.ConditionComplete: metav1.ConditionFalse, joberrorv1.ConditionSucceeded: metav1.ConditionUnknown,
		joberrorv1.ConditionReconciling: metav1.ConditionTrue,
	} {
		conditions.Set(&jet.Status.Conditions, jet.Generation, now, kind,
			metav1.Condition{Status: status, Reason: joberrorv1.ReasonRetryRunning, Message: message})
	}
}

// requester returns who requested a retry.
func requester(jet *joberrorv1.JobErrorRetry) string {
	return cmp.Or(jet.Spec.RequestedBy, "an unknown user")
}
