// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	toolscache "k8s.io/client-go/tools/cache"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/pages"
)

// pagesOf lists errors of these sizes, in bytes. The continue token is the index of the
// next error.
type pagesOf struct {
	t     *testing.T
	sizes []int
	err   error

	requests int
}

func (p *pagesOf) list(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
	p.requests++
	if opts.ResourceVersion != "" {
		p.t.Errorf("request for resource version %q, want the latest", opts.ResourceVersion)
	}
	start, _ := strconv.Atoi(opts.Continue)
	end := min(start+int(opts.Limit), len(p.sizes))
	if start > 0 && p.err != nil {
		return nil, p.err
	}
	list := &joberrorv1.JobErrorList{ListMeta: metav1.ListMeta{ResourceVersion: "7"}}
	limit, _ := pages.LimitOf(ctx)
	for i := start; i < end; i++ {
		limit.Read += int64(p.sizes[i])
		list.Items = append(list.Items, joberrorv1.JobError{
			ObjectMeta: metav1.ObjectMeta{Name: strconv.Itoa(i), ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}},
		})
	}
	if limit.Read > limit.Max {
		return nil, fmt.Errorf("list: %w", pages.ErrTooLarge)
	}
	if end < len(p.sizes) {
		list.Continue = strconv.Itoa(end)
	}
	return list, nil
}

// paged returns a lister of these pages.
func (p *pagesOf) paged() pagedLister {
	lw := &toolscache.ListWatch{ListWithContextFunc: p.list}
	return pagedLister{ListerWatcher: lw, whole: lw, strip: new(stripper).stripJobError}
}

func TestTheInitialListHasPages(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sizes    []int
		requests int
	}{
		"no errors":                {sizes: nil, requests: 1},
		"small errors":             {sizes: slices.Repeat([]int{500}, 2000), requests: 6},
		"large errors":             {sizes: slices.Repeat([]int{64 << 10}, 100), requests: 12},
		"large after small errors": {sizes: append(slices.Repeat([]int{500}, 500), slices.Repeat([]int{64 << 10}, 64)...), requests: 16},
		"the largest errors":       {sizes: slices.Repeat([]int{3 << 19}, 3), requests: 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &pagesOf{t: t, sizes: tc.sizes}
			obj, err := server.paged().ListWithContext(t.Context(), metav1.ListOptions{ResourceVersion: "0"})
			if err != nil {
				t.Fatal(err)
			}
			list := obj.(*internalversion.List)
			if len(list.Items) != len(tc.sizes) || list.ResourceVersion != "7" || list.Continue != "" {
				t.Errorf("list has %d errors of version %s, continues at %q; want all %d of version 7", len(list.Items), list.ResourceVersion, list.Continue, len(tc.sizes))
			}
			for i := range list.Items {
				if je := list.Items[i].(*joberrorv1.JobError); je.Name != strconv.Itoa(i) || je.ManagedFields != nil {
					t.Fatalf("error %d = %+v, want it stripped", i, je.ObjectMeta)
				}
			}
			if server.requests > tc.requests {
				t.Errorf("requests = %d, want at most %d", server.requests, tc.requests)
			}
		})
	}
}

func TestTheInitialListFailsWithAPage(t *testing.T) {
	t.Parallel()
	server := &pagesOf{t: t, sizes: slices.Repeat([]int{500}, 1000), err: errors.New("expired")}
	if _, err := server.paged().ListWithContext(t.Context(), metav1.ListOptions{}); !errors.Is(err, server.err) {
		t.Errorf("err = %v, want %v", err, server.err)
	}
}
