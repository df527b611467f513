// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"fmt"
	"iter"

	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// pageSize is how many objects one request lists.
const pageSize = 500

// Errors returns the errors that match, page by page, so that it holds one page at a time.
func (c *Client) Errors(ctx context.Context, opts ...client.ListOption) iter.Seq2[*joberrorv1.JobError, error] {
	return func(yield func(*joberrorv1.JobError, error) bool) {
		next := ""
		for {
			var page joberrorv1.JobErrorList
			err := c.List(ctx, &page, append(opts[:len(opts):len(opts)], client.Limit(pageSize), client.Continue(next))...)
			if err != nil {
				yield(nil, fmt.Errorf("list errors: %w", err))
				return
			}
			for i := range page.Items {
				if !yield(&page.Items[i], nil) {
					return
				}
			}
			if next = page.Continue; next == "" {
				return
			}
		}
	}
}
