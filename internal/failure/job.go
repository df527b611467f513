// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// FromJob returns the failures of a Job as a whole. The condition FailureTarget comes
// before Failed, long before if a node is lost; both give the same reason.
func FromJob(job *batchv1.Job) []Failure {
	var failures []Failure
	for _, c := range job.Status.Conditions {
		if c.Status != corev1.ConditionTrue || c.Type != batchv1.JobFailureTarget && c.Type != batchv1.JobFailed {
			continue
		}
		if len(failures) > 0 && failures[0].Code == c.Reason {
			continue
		}
		failure := Failure{
			Key: JobKey(c.Reason), Occurrence: jobOccurrence(job.UID, c.Reason),
			Code: c.Reason, Message: c.Message, Source: job.Name, At: c.LastTransitionTime.Time,
		}
		if indexes := job.Status.FailedIndexes; indexes != nil && *indexes != "" {
			failure.Message += fmt.Sprintf(" (failed indexes: %s)", *indexes)
		}
		failures = append(failures, failure)
	}
	return failures
}

func jobOccurrence(job types.UID, reason string) string { return string(job) + "/" + reason }

// JobKey returns the key of a failure of a Job as a whole.
func JobKey(reason string) string { return "job/" + reason }
