// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package contain keeps a panic in one goroutine from ending the process. Those
// that controller-runtime and the API server library start are contained by
// them; this is for those of our own.
package contain

import (
	"fmt"
	"runtime/debug"
)

// Panic calls f, and returns a panic of it as an error with its stack.
func Panic(f func() error) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	return f()
}
