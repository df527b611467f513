// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Command kubectl-joberrors is the kubectl plugin "kubectl joberrors". Under the name
// kubectl_complete-joberrors, for example through a link, it completes the plugin's command
// line for kubectl.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"joberror.io/operator/internal/plugin"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once.
	context.AfterFunc(ctx, stop)
	code := plugin.Run(ctx, plugin.Args(os.Args), genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	stop()
	os.Exit(code)
}
