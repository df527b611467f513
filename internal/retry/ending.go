// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Ending says how a Job ended.
type Ending struct {
	Ended, Succeeded bool
	At               time.Time
	// Message is the message of a Job that failed.
	Message string
	// OptedOut means that the Job turned automatic resolution off.
	OptedOut bool
}

// EndingOf returns how a Job ended; the zero value if it has not. A Job with the condition
// FailureTarget or SuccessCriteriaMet is about to end, but its pods still run.
func EndingOf(job *batchv1.Job) Ending {
	for _, c := range job.Status.Conditions {
		if c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed) {
			return Ending{
				Ended: true, Succeeded: c.Type == batchv1.JobComplete, At: c.LastTransitionTime.Time, Message: c.Message,
				OptedOut: job.Annotations[joberrorv1.AnnotationAutoResolve] == joberrorv1.Off,
			}
		}
	}
	return Ending{}
}

// IsComplete reports whether a retry is over: its Job has ended, or it was refused.
func IsComplete(jet *joberrorv1.JobErrorRetry) bool {
	return meta.IsStatusConditionTrue(jet.Status.Conditions, joberrorv1.ConditionComplete)
}
