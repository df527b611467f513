// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	joberrorv1 "joberror.io/operator/api/v1"
)

// stripRetry drops the metadata that is not read, and the overrides, which are large. A retry
// that is carried out is read from the API server.
func stripRetry(obj any) (any, error) {
	jet, ok := obj.(*joberrorv1.JobErrorRetry)
	if !ok {
		return obj, nil
	}
	stripRequestMetadata(&jet.ObjectMeta)
	jet.Spec.Set = nil
	internAll(&jet.Namespace, &jet.Spec.JobID, &jet.Spec.Reason, &jet.Spec.RequestedBy)
	return jet, nil
}
