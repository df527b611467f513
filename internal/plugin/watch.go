// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/group"
	"joberror.io/operator/internal/plugin/workload"
)

type watchOptions struct {
	*options
	selection
	output *output
}

func newWatch(o *options) *cobra.Command {
	w := &watchOptions{options: o}
	cmd := &cobra.Command{
		Use:   "watch",
		Short: "Print new and reopened errors as they come",
		Long: `Print new and reopened errors as they come, one line each, until Ctrl-C. Errors that exist when it
starts are not printed. After a lost connection, it connects again, and prints the errors in between.`,
		Example: `  kubectl joberrors watch -A --class=application

  # One JSON object after another, for a program
  kubectl joberrors watch -o json | jq .spec.message`,
		Args:              usage(cobra.NoArgs),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return w.run(cmd.Context()) },
	}
	w.selection.addFlags(cmd, o)
	w.output = addOutput(cmd)
	return cmd
}

func (w *watchOptions) run(ctx context.Context) error {
	printer, err := w.output.printer()
	if err != nil {
		return err
	}
	c, namespace, err := w.client()
	if err != nil {
		return err
	}
	interrupt := ctx.Done()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	watcher := &errorWatcher{watchOptions: w, client: c, printer: printer, fail: func(err error) {
		if ctx.Err() == nil {
			stop(err)
		}
	}}
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: &cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
				list := &joberrorv1.JobErrorList{}
				err := c.List(ctx, list, &client.ListOptions{Raw: &opts, Limit: opts.Limit, Continue: opts.Continue}, w.in(namespace))
				watcher.check(err)
				return list, err
			},
			WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
				changes, err := c.Watch(ctx, &joberrorv1.JobErrorList{}, &client.ListOptions{Raw: &opts}, w.in(namespace))
				watcher.check(err)
				return changes, err
			},
		},
		ObjectType: &joberrorv1.JobError{},
		Transform:  withoutManagedFields,
		Handler: cache.ResourceEventHandlerDetailedFuncs{
			AddFunc: func(obj any, initial bool) {
				if je, ok := obj.(*joberrorv1.JobError); ok && !initial && !je.Spec.Resolved {
					watcher.print(ctx, "new", je)
				}
			},
			UpdateFunc: func(before, after any) {
				old, ok := before.(*joberrorv1.JobError)
				je, ok2 := after.(*joberrorv1.JobError)
				if ok && ok2 && old.Spec.Resolved && !je.Spec.Resolved {
					watcher.print(ctx, "reopened", je)
				}
			},
		},
	})
	go func() {
		if cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
			fmt.Fprintln(w.ErrOut, "Waiting for errors. Ctrl-C ends it.")
		}
	}()
	informer.RunWithContext(ctx)
	select {
	case <-interrupt:
		// Ctrl-C is how a watch ends.
		return nil
	default:
		return context.Cause(ctx)
	}
}

// withoutManagedFields drops the managed fields: the watcher keeps every error in memory.
func withoutManagedFields(obj any) (any, error) {
	if je, ok := obj.(*joberrorv1.JobError); ok {
		je.ManagedFields = nil
		je.SetGroupVersionKind(joberrorv1.GroupVersion.WithKind("JobError"))
	}
	return obj, nil
}

// errorWatcher prints errors.
type errorWatcher struct {
	*watchOptions
	client  *api.Client
	printer printers.ResourcePrinter
	fail    func(error)
}

// check ends the command if the errors cannot be watched at all. Other failures pass.
func (w *errorWatcher) check(err error) {
	if isFinal(err) {
		w.fail(fmt.Errorf("watch errors: %w", err))
	}
}

func (w *errorWatcher) print(ctx context.Context, event string, je *joberrorv1.JobError) {
	item := group.ItemOf(je)
	if !w.filter().Matches(je, item.Last) {
		return
	}
	finder := workload.NewFinder(w.client)
	// A line without the CronJob or the owner is better than no line.
	item.Workload = workload.Workload{Kind: "job", Name: item.Job.Name}
	if finder.Read(ctx, []workload.Job{item.Job}) == nil {
		if found, err := finder.Of(ctx, item.Job); err == nil {
			item.Workload = found
		}
	}
	if !w.isOf(item.Workload) {
		return
	}
	if w.printer != nil {
		if err := w.printer.PrintObj(je, w.Out); err != nil {
			w.fail(fmt.Errorf("print error %s: %w", je.Name, err))
		}
		return
	}
	columns, _ := size(w.Out)
	line := fmt.Sprintf("%s  %-8s  ", time.Now().Format(time.TimeOnly), event)
	if w.allNamespaces {
		line += je.Namespace + "  "
	}
	message := item.Message
	if columns == 0 {
		message = group.Cut(message, pipedMessage)
	}
	line += fmt.Sprintf("%s  %s  %s  joberror/%s  %s", item.Workload, orDash(item.Code), orDash(item.Class), je.Name, message)
	color := red
	if event == "new" {
		color = ""
	}
	line = group.Cut(printers.EscapeTerminal(line), columns)
	if color != "" {
		line = paint(w.Out)(color, line)
	}
	fmt.Fprintln(w.Out, line)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}
