// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	corev1 "k8s.io/api/core/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
)

// announce tells about a completed entry on the Job.
func (r *JobErrorResolutionReconciler) announce(entry *joberrorv1.JobErrorResolution, ref jobref.Ref) {
	if ref.Job == nil || entry.Status.Updated == 0 {
		return
	}
	reason, action, verb := "ErrorsResolved", "Resolve", "resolved"
	if !entry.Spec.WantsResolved() {
		reason, action, verb = "ErrorsReopened", "Reopen", "reopened"
	}
	by := entry.Spec.RequestedBy
	if by == "" {
		by = "an unknown user"
	}
	r.recorder.Eventf(ref.Job, entry, corev1.EventTypeNormal, reason, action,
		"%d errors %s by %s with JobErrorResolution %s", entry.Status.Updated, verb, by, entry.Name)
}
