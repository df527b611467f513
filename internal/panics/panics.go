// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package panics keeps a panic in one of the operator's own goroutines from ending the
// process. controller-runtime and the API server library recover panics only in the
// goroutines that they start.
package panics

import (
	"context"
	"errors"

	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
)

// ErrPanic is the error in place of a panic. It does not say more, since the caller of an
// endpoint may see it.
var ErrPanic = errors.New("internal error: a panic, see the operator's log")

// Recover calls f. If f panics, it logs the panic with its stack, as the API machinery
// does, and returns ErrPanic.
func Recover(ctx context.Context, f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			for _, handle := range utilruntime.PanicHandlers {
				handle(ctx, cause)
			}
			err = ErrPanic
		}
	}()
	return f()
}
