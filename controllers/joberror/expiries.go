// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/retention"
)

// Expiries returns a function that calls visit for every JobError in the cache.
func Expiries(errs informers.Lister[*joberrorv1.JobError], jobs informers.Lister[*batchv1.Job], policy retention.Policy) func(context.Context, func(expiry.Expiry)) error {
	return func(ctx context.Context, visit func(expiry.Expiry)) error {
		requested := map[types.UID]string{}
		err := jobs(ctx, metav1.NamespaceAll, func(job *batchv1.Job) { requested[job.UID] = retention.Requested(job) })
		if err != nil {
			return err
		}
		return errs(ctx, metav1.NamespaceAll, func(je *joberrorv1.JobError) {
			if je.DeletionTimestamp.IsZero() {
				visit(expiryOf(je, policy.ExpiresAt(je, ownRetention(je, requested)), policy))
			}
		})
	}
}

// expiryOf returns when an error is deleted, given when its retention ends.
func expiryOf(je *joberrorv1.JobError, expiresAt time.Time, policy retention.Policy) expiry.Expiry {
	e := expiry.Expiry{At: expiresAt, Recorded: je.Status.ExpiresAt}
	if at, moves := policy.MovesAt(je, expiresAt); moves {
		e.At, e.Expected = at, true
	}
	// The error was decided on before and waits for the archive.
	e.Expected = e.Expected || meta.IsStatusConditionFalse(je.Status.Conditions, joberrorv1.ConditionArchived)
	return e
}

// ownRetention returns the retention that the Job of an error requests, or the remembered one
// if the Job is gone.
func ownRetention(je *joberrorv1.JobError, requested map[types.UID]string) string {
	linked := joblink.Linked(je)
	if linked == nil {
		return ""
	}
	if own, exists := requested[linked.UID]; exists {
		return own
	}
	return linked.Retention
}
