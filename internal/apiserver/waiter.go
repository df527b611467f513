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

// waiter lets requests wait for their entries. One watch, the cache's own,
// serves them all.
type waiter struct {
	cache cache.Cache

	mu      sync.Mutex
	waiting map[types.UID]chan *joberrorv1.JobErrorResolution
}

func newWaiter(ctx context.Context, c cache.Cache) (*waiter, error) {
	w := &waiter{cache: c, waiting: map[types.UID]chan *joberrorv1.JobErrorResolution{}}
	informer, err := c.GetInformer(ctx, &joberrorv1.JobErrorResolution{})
	if err != nil {
		return nil, err
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    w.notify,
		UpdateFunc: func(_, obj any) { w.notify(obj) },
		DeleteFunc: w.giveUp,
	})
	return w, err
}

func (w *waiter) notify(obj any) {
	if entry, ok := obj.(*joberrorv1.JobErrorResolution); ok && resolution.IsComplete(entry) {
		w.release(entry)
	}
}

// giveUp ends the wait for an entry that somebody deleted.
func (w *waiter) giveUp(obj any) {
	if unknown, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
		obj = unknown.Obj
	}
	if entry, ok := obj.(*joberrorv1.JobErrorResolution); ok {
		w.release(entry)
	}
}

func (w *waiter) release(entry *joberrorv1.JobErrorResolution) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if done, ok := w.waiting[entry.UID]; ok {
		delete(w.waiting, entry.UID)
		done <- entry.DeepCopy()
	}
}

// Wait returns the entry once it is complete or deleted, or as it is by then
// when the context ends.
func (w *waiter) Wait(ctx context.Context, entry *joberrorv1.JobErrorResolution) *joberrorv1.JobErrorResolution {
	done := make(chan *joberrorv1.JobErrorResolution, 1)
	w.mu.Lock()
	w.waiting[entry.UID] = done
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		delete(w.waiting, entry.UID)
		w.mu.Unlock()
	}()
	// It may have been completed before anybody waited.
	if now := w.current(ctx, entry); resolution.IsComplete(now) {
		return now
	}
	select {
	case complete := <-done:
		return complete
	case <-ctx.Done():
		return w.current(context.WithoutCancel(ctx), entry)
	}
}

// current is the entry as the cache has it, or as it was created where the
// cache does not have it yet.
func (w *waiter) current(ctx context.Context, entry *joberrorv1.JobErrorResolution) *joberrorv1.JobErrorResolution {
	now := &joberrorv1.JobErrorResolution{}
	if err := w.cache.Get(ctx, client.ObjectKeyFromObject(entry), now); err != nil || now.UID != entry.UID {
		return entry
	}
	return now
}
