// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package plugin implements "kubectl joberrors".
//
// Each subcommand has a file of its own name. What a subcommand decides is in a package below
// this one that needs no cluster; what it reads and writes goes through Client.
package plugin

import (
	"context"
	"errors"
	"fmt"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// The exit codes of the plugin.
const (
	exitOK = 0
	// exitFailed says that the command could not do all that was asked.
	exitFailed = 1
	// exitUsage says that the flags or arguments are wrong. Nothing was done.
	exitUsage = 2
)

// usageError says that the flags or arguments are wrong.
type usageError struct{ error }

// options holds what all subcommands share.
type options struct {
	genericiooptions.IOStreams
	config *genericclioptions.ConfigFlags
}

// Run runs the command line, without the name of the program, and returns the exit code. It
// writes an error to streams.ErrOut. Canceling ctx ends the command; requests that the API server
// has accepted go on.
func Run(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	root := newRoot(streams)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(streams.ErrOut, "error: %v\n", err)
	if usage := (usageError{}); errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

func newRoot(streams genericiooptions.IOStreams) *cobra.Command {
	o := &options{IOStreams: streams, config: genericclioptions.NewConfigFlags(true)}
	root := &cobra.Command{
		Use:           "kubectl joberrors",
		Short:         "Find, resolve and retry the errors of Jobs",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version.Version,
	}
	root.SetIn(o.In)
	root.SetOut(o.Out)
	root.SetErr(o.ErrOut)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	o.config.AddFlags(root.PersistentFlags())
	root.AddCommand(newUI(o))
	return root
}
