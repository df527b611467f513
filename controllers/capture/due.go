// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"joberror.io/operator/internal/failure"
)

// due returns the failures to record now, and the time until the next one is due; zero
// if there is none. It drops the failures that need no record from pending.
func (r *Reconciler) due(job subject, sightings []sighting) (due []sighting, next time.Duration) {
	now := r.Clock.Now()
	for _, s := range sightings {
		delay := s.dueIn(now, r.Policy.Grace)
		switch {
		case delay > 0:
			if next == 0 || delay < next {
				next = delay
			}
		case failure.Ignores(job.Spec.PodFailurePolicy, s.Failure):
			r.pending.markRecorded(job.key(), job.UID, s.Failure)
		case s.repeatsJob() && job.exists:
			// The Job's own status says the same, and more.
			r.pending.forget(job.key(), job.UID, s.Failure)
		case !s.ended.IsZero() && needsNoPods(job.Job):
			r.pending.markRecorded(job.key(), job.UID, s.Failure)
		case !s.Transient || s.waiting:
			due = append(due, s)
		}
	}
	return due, next
}

// needsNoPods reports whether the Job controller deletes pods because the Job no longer
// needs them. Such a pod was still waiting, which is not a failure.
func needsNoPods(job *batchv1.Job) bool {
	return ptr.Deref(job.Spec.Suspend, false) || slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobSuccessCriteriaMet || c.Type == batchv1.JobComplete)
	})
}
