// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"time"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

// recordOf returns a JobError in the source's flat shape.
func recordOf(je *joberrorv1.JobError) resolvev1.Record {
	r := resolvev1.Record{
		ID:        je.Name,
		JobID:     je.Spec.JobID,
		RetryID:   je.Status.RetryID,
		CreatedAt: je.Spec.CreatedAt,
		Resolved:  je.Spec.Resolved,
	}
	failure.SetText(&r, je.Spec)
	return r
}

// contentAndTime returns a record with only its content and its time. Two records without
// an id are the same error if these are equal. The fields whose names begin with an
// underscore may be missing.
func contentAndTime(r *resolvev1.Record) resolvev1.Record {
	key := failure.ContentWithoutTime(r)
	key.CreatedAt = r.CreatedAt
	if t, err := time.Parse(time.RFC3339, r.CreatedAt); err == nil {
		key.CreatedAt = t.UTC().Format(time.RFC3339Nano)
	}
	return key
}
