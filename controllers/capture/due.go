// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"joberror.io/operator/internal/failure"
)

// needRecord returns the failures that need a record, of those that are due. It drops the
// others from pending.
func (r *Reconciler) needRecord(job subject, due []sighting) []sighting {
	return slices.DeleteFunc(due, func(s sighting) bool {
		switch {
		case failure.Ignores(job.Spec.PodFailurePolicy, s.Failure), !s.ended.IsZero() && needsNoPods(job.Job):
			r.pending.markRecorded(job.key(), job.UID, s.Failure)
			return true
		case s.repeatsJob() && job.exists:
			// The Job's own status says the same, and more.
			r.pending.forget(job.key(), job.UID, s.Failure)
			return true
		default:
			return false
		}
	})
}

// needsNoPods reports whether the Job controller deletes pods because the Job no longer
// needs them. Such a pod was still waiting, which is not a failure.
func needsNoPods(job *batchv1.Job) bool {
	return ptr.Deref(job.Spec.Suspend, false) || slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobSuccessCriteriaMet || c.Type == batchv1.JobComplete)
	})
}
