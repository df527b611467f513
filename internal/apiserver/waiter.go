// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
)

// waiter lets requests wait for their resolutions. All of them share the cache's watch.
type waiter struct {
	cache cache.Cache

	mu sync.Mutex
	// waiting holds the channel of each waiting request, by the UID of its resolution.
	waiting map[types.UID]chan *joberrorv1.JobErrorResolution
}

func newWaiter(ctx context.Context, c cache.Cache) (*waiter, error) {
	w := &waiter{cache: c, waiting: map[types.UID]chan *joberrorv1.JobErrorResolution{}}
	informer, err := c.GetInformer(ctx, &joberrorv1.JobErrorResolution{})
	if err != nil {
		return nil, err
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
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
	if unknown, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
		obj = unknown.Obj
	}
	if jer, ok := obj.(*joberrorv1.JobErrorResolution); ok {
		w.release(jer)
	}
}

// release sends a resolution to the request that waits for it, if any.
func (w *waiter) release(jer *joberrorv1.JobErrorResolution) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if done, ok := w.waiting[jer.UID]; ok {
		delete(w.waiting, jer.UID)
		done <- jer.DeepCopy()
	}
}

// Wait waits until a resolution is complete or deleted, or until the context ends. It
// returns the last known state of the resolution.
func (w *waiter) Wait(ctx context.Context, jer *joberrorv1.JobErrorResolution) *joberrorv1.JobErrorResolution {
	done := make(chan *joberrorv1.JobErrorResolution, 1)
	w.mu.Lock()
	w.waiting[jer.UID] = done
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.waiting, jer.UID)
		w.mu.Unlock()
	}()
	// The resolution may have completed before the channel was registered.
	if latest := w.latest(ctx, jer); resolution.IsComplete(latest) {
		return latest
	}
	select {
	case released := <-done:
		return released
	case <-ctx.Done():
		return w.latest(context.WithoutCancel(ctx), jer)
	}
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
