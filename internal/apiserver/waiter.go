// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/resolution"
)

// waiter lets requests wait for resolutions. All of them share the cache's watch.
type waiter struct {
	cache client.Reader

	mu sync.Mutex
	// waiting holds the resolutions that requests wait for, by UID.
	waiting map[types.UID]*awaited
}

// awaited is a resolution that requests wait for.
type awaited struct {
	requests int
	// done is closed when the resolution is complete or deleted. Then result holds it.
	done   chan struct{}
	result *joberrorv1.JobErrorResolution
}

func newWaiter(ctx context.Context, c cache.Cache) (*waiter, error) {
	w := &waiter{cache: c, waiting: map[types.UID]*awaited{}}
	_, err := informers.Handle(ctx, c, &joberrorv1.JobErrorResolution{}, toolscache.ResourceEventHandlerFuncs{
		AddFunc:    w.handleChange,
		UpdateFunc: func(_, obj any) { w.handleChange(obj) },
		DeleteFunc: w.handleDelete,
	})
	return w, err
}

// handleChange ends the wait for a resolution that is complete.
func (w *waiter) handleChange(obj any) {
	if jer, ok := obj.(*joberrorv1.JobErrorResolution); ok && resolution.IsComplete(jer) {
		w.release(jer)
	}
}

// handleDelete ends the wait for a resolution that was deleted.
func (w *waiter) handleDelete(obj any) {
	if jer, ok := informers.Deleted[*joberrorv1.JobErrorResolution](obj); ok {
		w.release(jer)
	}
}

// release gives a resolution to the requests that wait for it.
func (w *waiter) release(jer *joberrorv1.JobErrorResolution) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if of, ok := w.waiting[jer.UID]; ok {
		delete(w.waiting, jer.UID)
		of.result = jer
		close(of.done)
	}
}

// enter adds a request that waits for a resolution.
func (w *waiter) enter(uid types.UID) *awaited {
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.waiting[uid]
	if of == nil {
		of = &awaited{done: make(chan struct{})}
		w.waiting[uid] = of
	}
	of.requests++
	return of
}

func (w *waiter) leave(uid types.UID, of *awaited) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if of.requests--; of.requests == 0 && w.waiting[uid] == of {
		delete(w.waiting, uid)
	}
}

// Wait waits until a resolution is complete or deleted, or until the context ends. It
// returns the last known state of the resolution.
func (w *waiter) Wait(ctx context.Context, jer *joberrorv1.JobErrorResolution) *joberrorv1.JobErrorResolution {
	of := w.enter(jer.UID)
	defer w.leave(jer.UID, of)
	// The resolution may have completed before the request entered.
	if latest := w.latest(ctx, jer); resolution.IsComplete(latest) {
		return latest
	}
	select {
	case <-of.done:
		return of.result.DeepCopy()
	case <-ctx.Done():
		return w.latest(context.WithoutCancel(ctx), jer)
	}
}

// cachePoll and cacheTimeout are how often and how long Seen looks for a resolution in the
// cache.
const (
	cachePoll    = 10 * time.Millisecond
	cacheTimeout = 2 * time.Second
)

// Seen waits until the cache has a resolution that was just created, but not for long.
func (w *waiter) Seen(ctx context.Context, jer *joberrorv1.JobErrorResolution) {
	// The cache may be slow: then the next request does not find the resolution there.
	_ = wait.PollUntilContextTimeout(ctx, cachePoll, cacheTimeout, true, func(ctx context.Context) (bool, error) {
		return w.latest(ctx, jer) != jer, nil
	})
}

// latest returns the resolution from the cache. If the cache does not have it yet, latest
// returns it as it was created.
func (w *waiter) latest(ctx context.Context, jer *joberrorv1.JobErrorResolution) *joberrorv1.JobErrorResolution {
	cached := &joberrorv1.JobErrorResolution{}
	if err := w.cache.Get(ctx, client.ObjectKeyFromObject(jer), cached); err != nil || cached.UID != jer.UID {
		return jer
	}
	return cached
}
