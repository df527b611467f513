// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/filter"
	"joberror.io/operator/internal/plugin/group"
	"joberror.io/operator/internal/plugin/progress"
	"joberror.io/operator/internal/plugin/workload"
)

// selection holds the flags that select errors.
type selection struct {
	allNamespaces  bool
	job, cronJob   string
	codes, classes []string
}

func (s *selection) addFlags(cmd *cobra.Command, o *options) {
	flags := cmd.Flags()
	flags.BoolVarP(&s.allNamespaces, "all-namespaces", "A", false, "Errors of all namespaces.")
	flags.StringVar(&s.job, "job", "", "Errors of the Job with this name or UID.")
	flags.StringVar(&s.cronJob, "cronjob", "", "Errors of the runs of this CronJob.")
	flags.StringSliceVar(&s.codes, "code", nil, "Errors with one of these codes.")
	flags.StringSliceVar(&s.classes, "class", nil, "Errors with one of these classes.")
	completeFlagWith(cmd, "job", o.completeJobs())
	completeFlagWith(cmd, "cronjob", o.completeErrors(func(je *joberrorv1.JobError) []string { return []string{je.Labels[joberrorv1.LabelCronJobName]} }))
	completeFlagWith(cmd, "code", o.completeErrors(func(je *joberrorv1.JobError) []string { return []string{je.Spec.Code} }))
	completeFlag(cmd, "class", joberrorv1.Classes()...)
}

func (s *selection) filter() filter.Filter {
	return filter.Filter{Job: s.job, Codes: s.codes, Classes: s.classes}
}

// in returns the option that selects the namespace.
func (s *selection) in(namespace string) client.ListOption {
	if s.allNamespaces {
		namespace = metav1.NamespaceAll
	}
	return client.InNamespace(namespace)
}

// isOf reports whether a workload is that of the flag --cronjob.
func (s *selection) isOf(w workload.Workload) bool {
	return s.cronJob == "" || w.Kind == "cronjob" && w.Name == s.cronJob
}

type listOptions struct {
	*options
	selection
	open    bool
	since   string
	groupBy []string
	full    bool
	output  *output
}

func newList(o *options) *cobra.Command {
	l := &listOptions{options: o}
	cmd := &cobra.Command{
		Use:     "list",
		Aliases: []string{"ls"},
		Short:   "List what is broken: open errors, grouped by workload and code (the default command)",
		Long: `List what is broken: open errors, grouped by workload and code.

The workload is the CronJob of a Job, the root of its owners, such as a JobSet or a Workflow, its
Helm release, or the Job itself. The group seen last comes first. On a terminal, the list stops at
the end of the screen, and says how many groups it leaves out.

With -o json, yaml or name, it prints the errors themselves.`,
		Example: `  # What is broken in all namespaces?
  kubectl joberrors -A

  # What happened in the last day, resolved or not, by class?
  kubectl joberrors list --open=false --since=24h --group-by=class

  # Every error of a Job
  kubectl joberrors list --job=nightly-import --group-by=none

  # The names of all errors with a code
  kubectl joberrors list --code=OOMKilled -o name`,
		Args:              usage(cobra.NoArgs),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return l.run(cmd.Context()) },
	}
	l.addFlags(cmd)
	return cmd
}

func (l *listOptions) addFlags(cmd *cobra.Command) {
	l.selection.addFlags(cmd, l.options)
	flags := cmd.Flags()
	flags.BoolVar(&l.open, "open", true, "Only errors that are open. --open=false adds the resolved ones.")
	flags.StringVar(&l.since, "since", "", "Errors seen within this time, such as 90m, 24h, 7d or 2w.")
	flags.StringSliceVar(&l.groupBy, "group-by", []string{"workload", "code"}, "What the errors of a group share: workload, job, code, class, or several of them; or none.")
	flags.BoolVar(&l.full, "full", false, "Show every group, even if the list does not fit on the screen.")
	completeFlag(cmd, "group-by", "workload", "job", "code", "class", "none", "workload,code")
	completeFlag(cmd, "since", "1h", "24h", "7d")
	l.output = addOutput(cmd, "wide")
}

func (l *listOptions) run(ctx context.Context) error {
	dimensions, err := group.Parse(l.groupBy)
	if err != nil {
		return usageError{err}
	}
	selected := l.filter()
	selected.OnlyOpen = l.open
	if l.since != "" {
		age, err := filter.ParseAge(l.since)
		if err != nil {
			return usageError{fmt.Errorf("--since: %w", err)}
		}
		selected.SeenSince = time.Now().Add(-age)
	}
	printer, err := l.output.printer()
	if err != nil {
		return err
	}
	c, namespace, err := l.client()
	if err != nil {
		return err
	}
	if printer != nil {
		return l.printRecords(ctx, c, printer, selected, namespace)
	}
	var items []group.Item
	for je, err := range c.Errors(ctx, l.in(namespace), selected.Fields()) {
		if err != nil {
			return err
		}
		if item := group.ItemOf(je); selected.Matches(je, item.Last) {
			items = append(items, item)
		}
	}
	if items, err = l.withWorkloads(ctx, c, items); err != nil {
		return err
	}
	if len(items) == 0 {
		where := "in namespace " + namespace
		if l.allNamespaces {
			where = "in any namespace"
		}
		state := "open errors"
		if !l.open {
			state = "errors"
		}
		found := "found"
		if l.narrowed() {
			found = "match the flags"
		}
		fmt.Fprintf(l.ErrOut, "No %s %s %s.\n", state, found, where)
		return nil
	}
	return l.printGroups(dimensions, items)
}

// narrowed reports whether flags leave out open errors.
func (l *listOptions) narrowed() bool {
	return l.job != "" || l.cronJob != "" || l.since != "" || len(l.codes)+len(l.classes) > 0
}

// withWorkloads sets the workloads of the items, and drops the items that --cronjob excludes.
func (l *listOptions) withWorkloads(ctx context.Context, c *api.Client, items []group.Item) ([]group.Item, error) {
	finder := workload.NewFinder(c)
	jobs := make([]workload.Job, len(items))
	for i := range items {
		jobs[i] = items[i].Job
	}
	if err := finder.Read(ctx, jobs); err != nil {
		return nil, err
	}
	kept := items[:0]
	for _, item := range items {
		var err error
		if item.Workload, err = finder.Of(ctx, item.Job); err != nil {
			return nil, err
		}
		if l.isOf(item.Workload) {
			kept = append(kept, item)
		}
	}
	if err := finder.Unread(); err != nil {
		fmt.Fprintf(l.ErrOut, "Warning: some errors are not grouped by their topmost owner: %v\n", err)
	}
	return kept, nil
}

// printRecords prints the errors themselves, as the API server has them: a newer operator may
// have fields that the plugin does not know.
func (l *listOptions) printRecords(ctx context.Context, c *api.Client, printer printers.ResourcePrinter, selected filter.Filter, namespace string) error {
	objects := map[client.ObjectKey]unstructured.Unstructured{}
	var items []group.Item
	for object, err := range c.ErrorObjects(ctx, l.in(namespace), selected.Fields()) {
		if err != nil {
			return err
		}
		je := &joberrorv1.JobError{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, je); err != nil {
			return fmt.Errorf("decode error %s: %w", object.GetName(), err)
		}
		if item := group.ItemOf(je); selected.Matches(je, item.Last) {
			items = append(items, item)
			objects[client.ObjectKeyFromObject(je)] = *object
		}
	}
	if l.cronJob != "" {
		var err error
		if items, err = l.withWorkloads(ctx, c, items); err != nil {
			return err
		}
	}
	list := newRecordList()
	for _, item := range items {
		list.Items = append(list.Items, objects[client.ObjectKey{Namespace: item.Job.Namespace, Name: item.Name}])
	}
	return printer.PrintObj(list, l.Out)
}

// newRecordList returns an empty List, as kubectl prints it.
func newRecordList() *unstructured.UnstructuredList {
	return &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": ""}}}
}

func (l *listOptions) printGroups(dimensions []group.Dimension, items []group.Item) error {
	groups := group.By(dimensions, items)
	width, rows := size(l.Out)
	shown := groups
	// The header, the summary and the next prompt take a line each.
	if rows > 0 && !l.full && len(groups) > rows-3 {
		shown = groups[:rows-3]
	}
	wide := l.output.is("wide")
	text, hidden, err := l.render(dimensions, shown, width, wide)
	if err != nil {
		return err
	}
	if wide {
		writeTable(l.Out, text, 0)
	} else {
		writeTable(l.Out, text, width)
	}
	if width == 0 {
		return nil
	}
	summary := fmt.Sprintf("%s in %s", progress.Count(int64(len(items)), "error"), progress.Count(int64(len(groups)), "group"))
	if left := len(groups) - len(shown); left > 0 {
		summary += fmt.Sprintf("; %s not shown, see --full", progress.Count(int64(left), "group"))
	}
	if hidden {
		summary += "; -o wide shows every column"
	}
	fmt.Fprintln(l.ErrOut, paint(l.ErrOut)(faint, summary))
	return nil
}
