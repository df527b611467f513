// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	batchv1 "k8s.io/api/batch/v1"

	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/severity"
)

// reasonInvalidSeverity is the reason of the Event about a severity that is not allowed.
const reasonInvalidSeverity = "InvalidSeverity"

// severityRefusals says that the severity of a Job is not honored if it is not allowed. The Job is
// nil if it is gone.
func severityRefusals(job *batchv1.Job) []retention.Refusal {
	if job == nil {
		return nil
	}
	if _, err := severity.Of(job); err != nil {
		return []retention.Refusal{{Reason: reasonInvalidSeverity, Message: err.Error()}}
	}
	return nil
}
