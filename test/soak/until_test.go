// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// patience limits how long anything may take. Parts are down for up to a minute; the
	// rest is for slow machines.
	patience = 4 * time.Minute
	// attemptTimeout limits one attempt. A bulk resolve answers within 30 seconds.
	attemptTimeout = time.Minute
	pollInterval   = 200 * time.Millisecond
	// progressInterval is the time between two lines about the progress.
	progressInterval = time.Minute
)

// until repeats an attempt until it succeeds. While a part is down, any request may fail, so
// only a refusal ends the attempts early.
func until(ctx context.Context, what string, attempt func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error
	report := time.Now().Add(progressInterval)
	err := wait.PollUntilContextCancel(ctx, pollInterval, true, func(ctx context.Context) (bool, error) {
		ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
		defer cancel()
		last = attempt(ctx)
		if isRefusal(last) {
			return false, last
		}
		if last != nil && time.Now().After(report) {
			report = time.Now().Add(progressInterval)
			fmt.Printf("still trying to %s: %v\n", what, last)
		}
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("%s: %w", what, errors.Join(err, last))
	}
	return nil
}

// isRefusal reports whether a request will never succeed.
func isRefusal(err error) bool {
	for _, is := range []func(error) bool{
		apierrors.IsInvalid, apierrors.IsBadRequest, apierrors.IsMethodNotSupported,
		apierrors.IsRequestEntityTooLargeError, apierrors.IsUnsupportedMediaType,
	} {
		if is(err) {
			return true
		}
	}
	return false
}
