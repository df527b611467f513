// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/retention"
)

// Expiries returns a function that calls visit for every JobErrorResolution in the cache.
func Expiries(resolutions informers.Lister[*joberrorv1.JobErrorResolution], policy retention.Policy) func(context.Context, func(expiry.Expiry)) error {
	return func(ctx context.Context, visit func(expiry.Expiry)) error {
		return resolutions(ctx, metav1.NamespaceAll, func(jer *joberrorv1.JobErrorResolution) {
			if jer.DeletionTimestamp.IsZero() {
				visit(expiry.Expiry{At: policy.RequestExpiresAt(jer), Recorded: jer.Status.ExpiresAt})
			}
		})
	}
}
