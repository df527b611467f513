// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/timeline"
)

func newShow(o *options) *cobra.Command {
	var out *output
	cmd := &cobra.Command{
		Use:   "show (JOB | ERROR)",
		Short: "Show what happened to a Job and its retries, and what to do next",
		Long: `Show what happened to a Job and its retries, or to one error, in order of time: runs, errors with
their last words, resolutions and retries. It ends with the commands to type next.

The Job may be deleted. Name it by its name or UID. If a Job and an error have the same name,
write job/NAME or joberror/NAME.

With -o json, yaml or name, it prints the objects themselves.`,
		Example: `  kubectl joberrors show nightly-import
  kubectl joberrors show joberror/nightly-import-row-17`,
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: firstOnly(o.completeTargets(nil)),
		RunE: func(cmd *cobra.Command, args []string) error {
			printer, err := out.printer()
			if err != nil {
				return err
			}
			c, namespace, err := o.client()
			if err != nil {
				return err
			}
			found, err := lookup(cmd.Context(), c, namespace, args[0])
			if err != nil {
				return err
			}
			l := &lineage{client: c, namespace: namespace, target: found}
			if err := l.read(cmd.Context()); err != nil {
				return err
			}
			if printer != nil {
				return o.printLineage(l, printer)
			}
			return o.showLineage(cmd.Context(), l)
		},
	}
	out = addOutput(cmd)
	return cmd
}

// printLineage prints the objects of a lineage as a List.
func (o *options) printLineage(l *lineage, printer printers.ResourcePrinter) error {
	list := newRecordList()
	for _, object := range objectsOf(&l.records) {
		content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return fmt.Errorf("encode %s: %w", object.GetName(), err)
		}
		list.Items = append(list.Items, unstructured.Unstructured{Object: content})
	}
	return printer.PrintObj(list, o.Out)
}

func (o *options) showLineage(ctx context.Context, l *lineage) error {
	color := paint(o.Out)
	if l.target.je != nil {
		showError(o.Out, l.target.je, color)
	}
	now := time.Now()
	for _, e := range timeline.Events(l.records) {
		showEvent(o.Out, e, now, color)
	}
	deleted, unknown := timeline.Gone(l.records)
	for _, name := range deleted {
		fmt.Fprintf(o.Out, "\njob/%s was deleted.\n", name)
	}
	for _, name := range unknown {
		if name != joberrorv1.NamespaceJobID {
			fmt.Fprintf(o.Out, "\njob/%s does not exist, and its errors were never linked to a Job.\n", name)
		}
	}
	for _, what := range l.hidden {
		fmt.Fprintf(o.ErrOut, "You may not list %s, so they are not shown.\n", what)
	}
	pod, err := l.pod(ctx)
	if err != nil {
		return err
	}
	commands := o.nextCommands(l.namespace, l.target, l.records, pod)
	if len(commands) == 0 {
		return nil
	}
	fmt.Fprintf(o.Out, "\n%s\n", color(bold, "Next:"))
	for _, command := range commands {
		fmt.Fprintf(o.Out, "  %s\n", command)
	}
	return nil
}

// showEvent writes an event with how long before now it was.
func showEvent(out io.Writer, e timeline.Event, now time.Time, color func(color, text string) string) {
	title := printers.EscapeTerminal(e.Title)
	switch e.Mood {
	case timeline.Bad:
		title = color(red, title)
	case timeline.Good:
		title = color(green, title)
	case timeline.Neutral:
	}
	age := duration.HumanDuration(max(0, now.Sub(e.At))) + " ago"
	fmt.Fprintf(out, "%s  %s  %s\n", timeline.Time(e.At), color(faint, fmt.Sprintf("%-10s", age)), title)
	for _, line := range e.Details {
		fmt.Fprintf(out, "%s%s\n", strings.Repeat(" ", 33), printers.EscapeTerminal(line))
	}
}
