// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retryplan

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retry"
)

// Fields that the cache's JobErrorRetries are indexed by.
const (
	// indexRequest finds a retry by its UID.
	indexRequest = "metadata.uid"
	// indexRoot finds the retries of a Job by the UID of the Job that ran first.
	indexRoot = "root"
)

// SetupIndexes adds the indexes that this package uses to the manager's cache. It must be
// called before the cache starts.
func SetupIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &joberrorv1.JobErrorRetry{}, indexRequest, func(obj client.Object) []string {
		return []string{string(obj.GetUID())}
	})
	if err != nil {
		return err
	}
	return indexer.IndexField(ctx, &joberrorv1.JobErrorRetry{}, indexRoot, func(obj client.Object) []string {
		root := obj.(*joberrorv1.JobErrorRetry).Status.Root
		if root == nil {
			return nil
		}
		return []string{string(root.UID)}
	})
}

// retriesOf returns the retries of a Job in the cache, by the UID of the Job that ran first.
func retriesOf(ctx context.Context, cache client.Reader, namespace string, root types.UID) ([]joberrorv1.JobErrorRetry, error) {
	var list joberrorv1.JobErrorRetryList
	err := cache.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{indexRoot: string(root)}, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// RequestOf returns the retry in the cache that a Job was created for; nil if there is none.
func RequestOf(ctx context.Context, cache client.Reader, job *batchv1.Job) (*joberrorv1.JobErrorRetry, error) {
	uid := retry.RequestOf(job)
	if uid == "" {
		return nil, nil
	}
	var list joberrorv1.JobErrorRetryList
	err := cache.List(ctx, &list, client.InNamespace(job.Namespace), client.MatchingFields{indexRequest: string(uid)}, client.UnsafeDisableDeepCopy)
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return &list.Items[0], nil
}
