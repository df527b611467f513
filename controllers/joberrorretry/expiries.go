// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorretry

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/retry"
)

// Expiries returns a function that visits the expiry of each complete retry.
func Expiries(retries informers.Lister[*joberrorv1.JobErrorRetry], policy retention.Policy) func(context.Context, func(expiry.Expiry)) error {
	return func(ctx context.Context, visit func(expiry.Expiry)) error {
		return retries(ctx, metav1.NamespaceAll, func(jet *joberrorv1.JobErrorRetry) {
			if jet.DeletionTimestamp.IsZero() && retry.IsComplete(jet) {
				visit(expiry.Expiry{At: policy.RequestExpiresAt(jet), Recorded: jet.Status.ExpiresAt})
			}
		})
	}
}
