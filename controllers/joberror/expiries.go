// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/retention"
)

// Expiries returns a function that calls visit for every JobError in the cache. It reads one
// namespace after the other, because a list copies each object, although not deeply.
func Expiries(cached client.Reader, policy retention.Policy) func(context.Context, func(expiry.Expiry)) error {
	return func(ctx context.Context, visit func(expiry.Expiry)) error {
		namespaces := &metav1.PartialObjectMetadataList{}
		namespaces.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
		if err := cached.List(ctx, namespaces, client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("list namespaces: %w", err)
		}
		for i := range namespaces.Items {
			if err := visitNamespace(ctx, cached, policy, namespaces.Items[i].Name, visit); err != nil {
				return err
			}
		}
		return nil
	}
}

func visitNamespace(ctx context.Context, cached client.Reader, policy retention.Policy, namespace string, visit func(expiry.Expiry)) error {
	var errors joberrorv1.JobErrorList
	if err := cached.List(ctx, &errors, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list JobErrors: %w", err)
	}
	if len(errors.Items) == 0 {
		return nil
	}
	var jobs batchv1.JobList
	if err := cached.List(ctx, &jobs, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list Jobs: %w", err)
	}
	requested := map[types.UID]string{}
	for i := range jobs.Items {
		requested[jobs.Items[i].UID] = retention.Requested(&jobs.Items[i])
	}
	for i := range errors.Items {
		je := &errors.Items[i]
		if je.DeletionTimestamp.IsZero() {
			visit(expiry.Expiry{At: policy.ExpiresAt(je, ownRetention(je, requested)), Recorded: je.Status.ExpiresAt})
		}
	}
	return nil
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
