// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"time"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// recordOf is a JobError in the source's flat shape.
func recordOf(je *joberrorv1.JobError) resolvev1.Record {
	return resolvev1.Record{
		ID:        je.Name,
		UserID:    je.Spec.UserID,
		JobID:     je.Spec.JobID,
		RetryID:   je.Status.RetryID,
		CreatedAt: je.Spec.CreatedAt,
		Resolved:  je.Spec.Resolved,
		Code:      je.Spec.Code,
		Extract:   je.Spec.Extract,
		Generate:  je.Spec.Generate,
		Extracted: je.Spec.Extracted,
		Generated: je.Spec.Generated,
		Message:   je.Spec.Message,
		Source:    je.Spec.Source,
	}
}

// content is what two records must have in common to be the same error where
// the id is missing. The fields whose names begin with an underscore may be
// missing too.
func content(r *resolvev1.Record) resolvev1.Record {
	c := *r
	c.ID, c.UserID, c.JobID, c.RetryID, c.Resolved = "", "", "", "", false
	if t, err := time.Parse(time.RFC3339, c.CreatedAt); err == nil {
		c.CreatedAt = t.UTC().Format(time.RFC3339Nano)
	}
	return c
}
