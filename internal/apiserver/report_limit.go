// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"joberror.io/operator/internal/errorlimit"
)

// limitRetryAfter is how many seconds a client that was refused because of a limit should
// wait: about 1,000 errors are deleted in this time.
const limitRetryAfter = 5

// checkReportLimit returns a 429 if a Job or its namespace has many more errors than are
// kept. Otherwise, a Job could report faster than the surplus is deleted.
func (b *backend) checkReportLimit(job *batchv1.Job) error {
	reported := errorlimit.Scope{Namespace: job.Namespace, Kind: errorlimit.Job, Name: job.Name}
	linked := errorlimit.Scope{Namespace: job.Namespace, Kind: errorlimit.Job, Name: string(job.UID)}
	for _, check := range []struct {
		kind  errorlimit.Kind
		name  string
		count int
	}{
		// An error counts by the Job's name until it is linked.
		{errorlimit.Job, "Job " + job.Name, b.errors.Count(reported) + b.errors.Count(linked)},
		{errorlimit.Namespace, "namespace " + job.Namespace, b.errors.Count(errorlimit.ScopeOf(job.Namespace))},
	} {
		if limit := b.errors.Limits().Of(check.kind); limit > 0 && check.count > limit+limit/10 {
			return apierrors.NewTooManyRequests(fmt.Sprintf(
				"nothing was stored: %s has %d errors, and %d are kept (%s); send the request again once the surplus is deleted",
				check.name, check.count, limit, check.kind.Flag()), limitRetryAfter)
		}
	}
	return nil
}
