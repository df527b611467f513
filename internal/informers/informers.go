// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package informers gives access to the informers of the manager's cache.
package informers

import (
	"context"
	"fmt"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Handle adds a handler for the objects of the kind of obj. It does not wait until the cache
// has them; the registration says when the handler has seen them.
func Handle(ctx context.Context, of cache.Informers, obj client.Object, handler toolscache.ResourceEventHandler) (toolscache.ResourceEventHandlerRegistration, error) {
	informer, err := of.GetInformer(ctx, obj, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("watch %T: %w", obj, err)
	}
	registration, err := informer.AddEventHandler(handler)
	if err != nil {
		return nil, fmt.Errorf("watch %T: %w", obj, err)
	}
	return registration, nil
}

// Deleted returns the last known state of an object in a deletion event. It returns false if
// that is not known, or if the object has another type.
func Deleted[T any](obj any) (T, bool) {
	if unknown, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
		obj = unknown.Obj
	}
	last, ok := obj.(T)
	return last, ok
}
