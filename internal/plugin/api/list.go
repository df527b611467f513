// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"fmt"
	"iter"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// pageSize is how many objects one request lists.
const pageSize = 500

// Errors returns the errors that match, page by page, so that it holds one page at a time.
func (c *Client) Errors(ctx context.Context, opts ...client.ListOption) iter.Seq2[*joberrorv1.JobError, error] {
	page := &joberrorv1.JobErrorList{}
	return paged(ctx, c, page, func() []joberrorv1.JobError { return page.Items }, opts)
}

// ErrorObjects returns the errors that match with all their fields, also those that Errors
// drops because the plugin does not know them.
func (c *Client) ErrorObjects(ctx context.Context, opts ...client.ListOption) iter.Seq2[*unstructured.Unstructured, error] {
	page := &unstructured.UnstructuredList{}
	page.SetGroupVersionKind(joberrorv1.GroupVersion.WithKind("JobErrorList"))
	return paged(ctx, c, page, func() []unstructured.Unstructured { return page.Items }, opts)
}

// paged lists into page until the last page, and returns the items of each.
func paged[T any](ctx context.Context, c client.Reader, page client.ObjectList, items func() []T, opts []client.ListOption) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		next := ""
		for {
			if err := c.List(ctx, page, append(opts[:len(opts):len(opts)], client.Limit(pageSize), client.Continue(next))...); err != nil {
				yield(nil, fmt.Errorf("list errors: %w", err))
				return
			}
			// The next page must not overwrite items that the caller keeps.
			kept := append([]T(nil), items()...)
			for i := range kept {
				if !yield(&kept[i], nil) {
					return
				}
			}
			if next = page.GetContinue(); next == "" {
				return
			}
		}
	}
}
