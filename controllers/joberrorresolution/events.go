// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
)

// announce writes an Event about a completed resolution on the Job.
func (r *Reconciler) announce(jer *joberrorv1.JobErrorResolution, ref jobref.Ref) {
	if ref.Job == nil || jer.Status.Updated == 0 {
		return
	}
	reason, action, verb := "ErrorsResolved", "Resolve", "resolved"
	if !jer.Spec.WantsResolved() {
		reason, action, verb = "ErrorsReopened", "Reopen", "reopened"
	}
	by := cmp.Or(jer.Spec.RequestedBy, "an unknown user")
	r.Recorder.Eventf(ref.Job, jer, corev1.EventTypeNormal, reason, action,
		"%d errors %s by %s with JobErrorResolution %s", jer.Status.Updated, verb, by, jer.Name)
}
