// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package plugin implements "kubectl joberrors".
//
// Each subcommand has a file of its own name. What a subcommand decides is in a package below
// this one that needs no cluster; what it reads and writes goes through package api.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// subcommands holds the subcommands, in the order of the help.
var subcommands = []func(*options) *cobra.Command{
	newList,
	newShow,
	newHistory,
	newResolve,
	newReopen,
	newRetry,
	newWatch,
	newReport,
	newCheck,
	newUI,
	newVersion,
	newOptions,
}

const rootLong = `Find, resolve and retry the errors of Jobs.

Without a subcommand, it lists what is broken now.

Exit codes:
  0    all that was asked is done
  1    something could not be done: the message says what
  2    the flags or arguments are wrong, and nothing was done
  130  interrupted by Ctrl-C; what the cluster has accepted goes on`

const rootExamples = `  # What is broken now in this namespace, and in all of them?
  kubectl joberrors
  kubectl joberrors -A

  # What happened to a Job, and what can I do?
  kubectl joberrors show nightly-import

  # Run it again after a fix, and wait for the result
  kubectl joberrors retry nightly-import --wait

  # Its errors are dealt with
  kubectl joberrors resolve nightly-import --reason "the rows were fixed by hand"`

// completeName is the name under which kubectl looks for the completion of the plugin.
const completeName = "kubectl_complete-joberrors"

// The help keeps the order of subcommands.
func init() { cobra.EnableCommandSorting = false }

// Args returns the arguments of a process for Run. kubectl runs the program by another name to
// complete the command line of the plugin.
func Args(args []string) []string {
	if strings.TrimSuffix(filepath.Base(args[0]), ".exe") == completeName {
		return append([]string{cobra.ShellCompRequestCmd}, args[1:]...)
	}
	return args[1:]
}

// Run runs the command line, without the name of the program, and returns the exit code. It
// writes an error to streams.ErrOut. Canceling ctx ends the command; requests that the API server
// has accepted go on.
func Run(ctx context.Context, args []string, streams genericiooptions.IOStreams) int {
	o := optionsFor(streams)
	root := newRoot(o)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = o.checkWarnings()
	}
	if err != nil && !errors.As(err, &silentError{}) {
		fmt.Fprintf(streams.ErrOut, "error: %s\n", o.describe(err))
	}
	return exitCode(ctx, err)
}

func newRoot(o *options) *cobra.Command {
	list := &listOptions{options: o}
	root := &cobra.Command{
		Use:               "kubectl-joberrors",
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl joberrors"},
		Short:             "Find, resolve and retry the errors of Jobs",
		Long:              rootLong,
		Example:           rootExamples,
		Args:              noSubcommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return list.run(cmd.Context()) },
		SilenceErrors:     true,
		SilenceUsage:      true,
		Version:           version.Version,
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	root.SetIn(o.In)
	root.SetOut(o.Out)
	root.SetErr(o.ErrOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w; see %q", err, cmd.CommandPath()+" --help")}
	})
	root.SetUsageTemplate(usageTemplate)
	o.addGlobalFlags(root.PersistentFlags())
	o.completeGlobalFlags(root)
	list.addFlags(root)
	for _, newCommand := range subcommands {
		root.AddCommand(newCommand(o))
	}
	return root
}

// noSubcommand refuses arguments that are not a subcommand.
func noSubcommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	text := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	// Cobra sets the distance only for its own check.
	cmd.SuggestionsMinimumDistance = 2
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		text += "; did you mean " + strings.Join(similar, " or ") + "?"
	} else {
		text += fmt.Sprintf("; for a Job or an error, write %q", cmd.Root().CommandPath()+" show "+args[0])
	}
	return usageError{errors.New(text)}
}

// usage makes a failed check of arguments a usage error.
func usage(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return usageError{fmt.Errorf("%w; see %q", err, cmd.CommandPath()+" --help")}
		}
		return nil
	}
}
