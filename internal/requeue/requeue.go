// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package requeue decides when an object is reconciled again.
package requeue

import (
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
)

var (
	// ErrStaleObject says that the cache holds an old version of the object that is
	// reconciled. Its next event brings the next reconcile.
	ErrStaleObject = errors.New("the cache has an old version of the object")

	// ErrStaleCache says that the cache of another kind is behind. Its events do not
	// reconcile this object, so it is requeued after StaleCacheDelay.
	ErrStaleCache = errors.New("the cache of another kind is behind")
)

// StaleCacheDelay is the time until the next reconcile after ErrStaleCache.
const StaleCacheDelay = 100 * time.Millisecond

// IfStale returns ErrStaleObject for a write that failed because the object has
// changed or is gone, and any other error unchanged.
func IfStale(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return ErrStaleObject
	}
	return err
}

// After returns the result of a reconcile: the next one follows after the delay, and
// earlier after an error.
func After(delay time.Duration, err error) (ctrl.Result, error) {
	switch {
	case errors.Is(err, ErrStaleObject):
		return ctrl.Result{}, nil
	case errors.Is(err, ErrStaleCache):
		return ctrl.Result{RequeueAfter: StaleCacheDelay}, nil
	case err != nil:
		return ctrl.Result{}, err
	default:
		return ctrl.Result{RequeueAfter: delay}, nil
	}
}

// FirstFailure returns the first error that is not about a stale cache. Without one,
// it returns ErrStaleCache if any cache is stale: the object needs another reconcile.
func FirstFailure(errs []error) error {
	var stale error
	for _, err := range errs {
		switch {
		case errors.Is(err, ErrStaleCache), errors.Is(err, ErrStaleObject):
			stale = ErrStaleCache
		case err != nil:
			return err
		}
	}
	return stale
}
