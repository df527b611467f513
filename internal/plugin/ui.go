// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"

	"github.com/prometheus/common/version"
	"github.com/spf13/cobra"

	"joberror.io/operator/internal/console"
)

const uiExample = `  # Show the errors of the current context's cluster in the browser
  kubectl joberrors ui

  # Print the link only
  kubectl joberrors ui --open=false`

// newUI returns the subcommand that serves the console.
func newUI(o *options) *cobra.Command {
	var port int
	var open bool
	cmd := &cobra.Command{
		Use:   "ui",
		Short: "Find, resolve and retry errors in the browser",
		Long: "Serve the console on this machine, and print a link that opens it once. The console acts with\n" +
			"your kubeconfig, so it can do what you can. Ctrl-C stops it.",
		Example: uiExample,
		Args:    usage(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if port < 0 || port > 65535 {
				return usageError{fmt.Errorf("--port: must be between 0 and 65535")}
			}
			if !cmd.Flags().Changed("open") {
				columns, _ := size(o.Out)
				open = columns > 0
			}
			return runUI(cmd, o, port, open)
		},
	}
	cmd.Flags().IntVar(&port, "port", 0, "The port to listen on. 0 picks a free one.")
	cmd.Flags().BoolVar(&open, "open", false, "Open the link in the browser. The default is true on a terminal. Other users of the machine may see the link before it is used.")
	return cmd
}

func runUI(cmd *cobra.Command, o *options, port int, open bool) error {
	config, namespace, err := o.connection()
	if err != nil {
		return err
	}
	raw, err := o.config.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return fmt.Errorf("read the context from the kubeconfig: %w", err)
	}
	context := raw.CurrentContext
	if o.config.Context != nil && *o.config.Context != "" {
		context = *o.config.Context
	}
	c, err := console.Listen(cmd.Context(), console.Config{
		REST: config, Port: port, Context: context, Namespace: namespace, Version: version.Version,
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(o.Out, "The console is at %s\nThe link works once. Ctrl-C stops the console.\n", c.URL())
	if open {
		if err := console.OpenBrowser(c.URL()); err != nil {
			fmt.Fprintf(o.ErrOut, "Open the link yourself: %v\n", err)
		}
	}
	return c.Serve(cmd.Context())
}
