// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/retention"
)

// Expiries returns a function that calls visit for every JobErrorResolution in the cache.
func Expiries(cached client.Reader, policy retention.Policy) func(context.Context, func(expiry.Expiry)) error {
	return func(ctx context.Context, visit func(expiry.Expiry)) error {
		var list joberrorv1.JobErrorResolutionList
		if err := cached.List(ctx, &list, client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("list JobErrorResolutions: %w", err)
		}
		for i := range list.Items {
			if jer := &list.Items[i]; jer.DeletionTimestamp.IsZero() {
				visit(expiry.Expiry{At: policy.ResolutionExpiresAt(jer), Recorded: jer.Status.ExpiresAt})
			}
		}
		return nil
	}
}
