// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"

	"joberror.io/operator/internal/plugin/api"
)

// The exit codes of the plugin. The help of the root command explains them.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// usageError reports wrong flags or arguments. The command has changed nothing.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// silentError ends a command that has already written why.
type silentError struct{ error }

func (e silentError) Unwrap() error { return e.error }

// failed ends a command that has already written what could not be done.
var failed = silentError{errors.New("failed")}

// interrupted ends a command that has already written what goes on.
var interrupted = silentError{context.Canceled}

// outcomes collects the errors of a command that changes several objects. It writes each error
// at once, so that the output keeps the order of the objects.
type outcomes struct {
	*options
	failed bool
}

func (o *outcomes) add(err error) {
	if err == nil {
		return
	}
	o.failed = true
	if !errors.As(err, &silentError{}) {
		fmt.Fprintf(o.ErrOut, "error: %s\n", o.describe(err))
	}
}

// err returns an error if there was one.
func (o *outcomes) err() error {
	if o.failed {
		return failed
	}
	return nil
}

func exitCode(ctx context.Context, err error) int {
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usageError{}):
		return exitUsage
	case ctx.Err() != nil:
		return exitInterrupted
	}
	return exitFailed
}

// describe returns the text of an error. It explains the aggregated API, whose name the API
// server does not mention.
func (o *options) describe(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	if api.IsUnavailable(err) {
		return err.Error() + "\n" + o.unavailable() +
			"\nretry, report, history and resolving a whole Job need it. list, show, watch, and resolve and reopen of named errors work without it."
	}
	return err.Error()
}

// unavailable returns what to say if the aggregated API is down.
func (o *options) unavailable() string {
	return "The aggregated API v1.resolve.joberror.io does not answer: the operator is down, or it is not installed. Find out why with: " +
		o.hint("kubectl", "joberrors", "check")
}
