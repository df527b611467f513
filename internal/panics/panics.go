// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package panics keeps a panic in one of the operator's own goroutines from ending the
// process. controller-runtime and the API server library recover panics only in the
// goroutines that they start.
package panics

import (
	"fmt"
	"runtime/debug"
)

// Recover calls f. If f panics, it returns the panic as an error with the stack.
func Recover(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return f()
}
