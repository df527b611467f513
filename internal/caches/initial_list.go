// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/internalversion"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/pages"
)

// newInformer returns an informer that lists JobErrors page by page, and strips each page
// before it reads the next. Reading them as one list takes several times the memory of the
// cache. Reading them as a stream of events takes longer.
func newInformer(strip toolscache.TransformFunc) func(toolscache.ListerWatcher, runtime.Object, time.Duration, toolscache.Indexers) toolscache.SharedIndexInformer {
	return func(lw toolscache.ListerWatcher, obj runtime.Object, resync time.Duration, indexers toolscache.Indexers) toolscache.SharedIndexInformer {
		if _, ok := obj.(*joberrorv1.JobError); ok {
			lw = pagedLister{ListerWatcher: lw, whole: toolscache.ToListerWatcherWithContext(lw), strip: strip}
		}
		return toolscache.NewSharedIndexInformer(lw, obj, resync, indexers)
	}
}

// pagedLister lists JobErrors page by page.
type pagedLister struct {
	toolscache.ListerWatcher
	whole toolscache.ListerWatcherWithContext
	strip toolscache.TransformFunc
}

// IsWatchListSemanticsUnSupported makes the informer list instead of having the list
// streamed to its watch. The name is the one that client-go looks for.
func (pagedLister) IsWatchListSemanticsUnSupported() bool { return true }

// WatchWithContext watches JobErrors.
func (l pagedLister) WatchWithContext(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
	return l.whole.WatchWithContext(ctx, opts)
}

// ListWithContext returns all JobErrors as they are now, stripped. It ignores the limit and
// the resource version in opts: the list is the latest, and not older than any other.
func (l pagedLister) ListWithContext(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
	all := &internalversion.List{}
	opts.ResourceVersion, opts.ResourceVersionMatch, opts.Continue = "", "", ""
	size := pages.Size(pages.First)
	for {
		page, limit, err := l.listPage(ctx, opts, size)
		if errors.Is(err, pages.ErrTooLarge) {
			size = size.Smaller()
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := l.add(all, page); err != nil {
			return nil, err
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			return all, nil
		}
		size = size.After(len(page.Items), limit.Read)
	}
}

// listPage lists a page of this size. A page of one JobError has no limit.
func (l pagedLister) listPage(ctx context.Context, opts metav1.ListOptions, size pages.Size) (*joberrorv1.JobErrorList, *pages.Limit, error) {
	limit := &pages.Limit{Max: pages.MaxBytes}
	if size == 1 {
		limit.Max = pages.Unlimited
	}
	opts.Limit = int64(size)
	list, err := l.whole.ListWithContext(pages.WithLimit(ctx, limit), opts)
	if err != nil {
		return nil, nil, err
	}
	page, ok := list.(*joberrorv1.JobErrorList)
	if !ok {
		return nil, nil, fmt.Errorf("list JobErrors: the list is a %T", list)
	}
	return page, limit, nil
}

// add adds the JobErrors of a page to a list. Each is copied, because a part of the page
// would keep all of it in memory.
func (l pagedLister) add(all *internalversion.List, page *joberrorv1.JobErrorList) error {
	for _, je := range page.Items {
		stripped, err := l.strip(&je)
		if err != nil {
			return fmt.Errorf("strip JobError %s/%s: %w", je.Namespace, je.Name, err)
		}
		all.Items = append(all.Items, stripped.(runtime.Object))
	}
	// All pages are of the same moment.
	all.ResourceVersion = page.ResourceVersion
	return nil
}
