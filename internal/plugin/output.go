// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"

	"joberror.io/operator/internal/plugin/api"
)

// output holds the flag -o and those that belong to it.
type output struct {
	flags *genericclioptions.PrintFlags
	// own holds the formats that a command prints itself.
	own []string
}

// addOutput adds -o to a command. own holds the formats that the command prints itself.
func addOutput(cmd *cobra.Command, own ...string) *output {
	out := &output{flags: genericclioptions.NewPrintFlags("").WithTypeSetter(api.Scheme), own: own}
	out.addTo(cmd)
	return out
}

// addOutputWithoutTemplates adds -o to a command whose flag --template is another one.
func addOutputWithoutTemplates(cmd *cobra.Command) *output {
	out := &output{flags: genericclioptions.NewPrintFlags("").WithTypeSetter(api.Scheme)}
	out.flags.TemplatePrinterFlags = nil
	out.addTo(cmd)
	return out
}

func (o *output) addTo(cmd *cobra.Command) {
	o.flags.AddFlags(cmd)
	formats := append(slices.Clone(o.own), o.flags.AllowedFormats()...)
	cmd.Flag("output").Usage = fmt.Sprintf("Output format. One of: (%s).", strings.Join(formats, ", "))
	completeFlag(cmd, "output", formats...)
}

// is reports whether the format is this one.
func (o *output) is(format string) bool { return *o.flags.OutputFormat == format }

// printer returns the printer for objects, or nil if the command prints for people.
func (o *output) printer() (printers.ResourcePrinter, error) {
	template := ""
	if flags := o.flags.TemplatePrinterFlags; flags != nil {
		template = *flags.TemplateArgument
	}
	if *o.flags.OutputFormat == "" && template == "" || slices.Contains(o.own, *o.flags.OutputFormat) {
		return nil, nil
	}
	printer, err := o.flags.ToPrinter()
	if err != nil {
		if genericclioptions.IsNoCompatiblePrinterError(err) {
			formats := append(slices.Clone(o.own), o.flags.AllowedFormats()...)
			err = fmt.Errorf("%q must be one of %s", *o.flags.OutputFormat, strings.Join(formats, ", "))
		}
		return nil, usageError{fmt.Errorf("--output: %w", err)}
	}
	return printer, nil
}
