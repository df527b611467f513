// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/progress"
)

// options holds what all subcommands share.
type options struct {
	genericiooptions.IOStreams
	config *genericclioptions.ConfigFlags
	// connectionFlags holds the flags that config has added.
	connectionFlags *pflag.FlagSet
	// logs holds the flags of the libraries' logs.
	logs *flag.FlagSet
	// warningsAsErrors makes a command fail if the API server sent a warning.
	warningsAsErrors bool
	warnings         warnings
}

func optionsFor(streams genericiooptions.IOStreams) *options {
	o := &options{
		IOStreams: streams, config: genericclioptions.NewConfigFlags(true),
		connectionFlags: pflag.NewFlagSet("", pflag.ContinueOnError), logs: flag.NewFlagSet("", flag.ContinueOnError),
	}
	o.config.AddFlags(o.connectionFlags)
	klog.InitFlags(o.logs)
	return o
}

// connection returns how to reach the API server, and the namespace of the command.
func (o *options) connection() (*rest.Config, string, error) {
	if err := o.setLogs(); err != nil {
		return nil, "", err
	}
	namespace, _, err := o.config.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	if problems := validation.IsDNS1123Label(namespace); len(problems) > 0 {
		return nil, "", usageError{fmt.Errorf("--namespace: %q is not a name of a namespace: %s", namespace, problems[0])}
	}
	config, err := o.config.ToRESTConfig()
	if err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	o.warnings = rest.NewWarningWriter(o.ErrOut, rest.WarningWriterOptions{Deduplicate: true})
	config.WarningHandler = o.warnings
	return config, namespace, nil
}

// client returns a client and the namespace of the command.
func (o *options) client() (*api.Client, string, error) {
	config, namespace, err := o.connection()
	if err != nil {
		return nil, "", err
	}
	mapper, err := o.config.ToRESTMapper()
	if err != nil {
		return nil, "", fmt.Errorf("read the kubeconfig: %w", err)
	}
	c, err := api.New(config, mapper)
	return c, namespace, err
}

// meter returns a meter on standard error.
func (o *options) meter() *progress.Meter {
	width, _ := size(o.ErrOut)
	return progress.NewMeter(o.ErrOut, clock.RealClock{}, width)
}

// size returns the columns and rows of a terminal, or zeros for another writer.
func size(w io.Writer) (columns, rows int) {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0, 0
	}
	columns, rows, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 80, 24
	}
	return max(columns, 20), max(rows, 10)
}

// Colors of events.
const (
	red   = "31"
	green = "32"
	bold  = "1"
	faint = "2"
)

// paint returns a function that colors text on a terminal, unless NO_COLOR is set.
func paint(w io.Writer) func(color, text string) string {
	if !printers.AllowsColorOutput(w) {
		return func(_, text string) string { return text }
	}
	return func(color, text string) string { return "\x1b[" + color + "m" + text + "\x1b[0m" }
}

func newOptions(*options) *cobra.Command {
	cmd := &cobra.Command{
		Use:               "options",
		Short:             "List the flags that all commands have, such as --namespace and --context",
		Args:              usage(cobra.NoArgs),
		ValidArgsFunction: cobra.NoFileCompletions,
		Run: func(cmd *cobra.Command, _ []string) {
			fmt.Fprintf(cmd.OutOrStdout(), "The following flags can be passed to any command:\n\n%s", cmd.InheritedFlags().FlagUsages())
		},
	}
	return cmd
}

// usageTemplate is cobra's, with the global flags on a page of their own.
const usageTemplate = `Usage:{{if .Runnable}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} [command]{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Available Commands:{{range .Commands}}{{if (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding }} {{.Short}}{{end}}{{end}}{{end}}{{if .LocalNonPersistentFlags.HasAvailableFlags}}

Flags:
{{.LocalNonPersistentFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}

Use "{{.Root.CommandPath}} options" for the flags that all commands have.{{if .HasAvailableSubCommands}}
Use "{{.CommandPath}} [command] --help" for more about a command.{{end}}
`
