// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/overrides"
	"joberror.io/operator/internal/plugin/progress"
)

type retryOptions struct {
	*options
	template, indexes string
	set               []string
	reason            string
	wait              bool
	dryRun            dryRun
	output            *output
}

func newRetry(o *options) *cobra.Command {
	r := &retryOptions{options: o}
	cmd := &cobra.Command{
		Use:   "retry (JOB | ERROR)...",
		Short: "Run failed Jobs again, as new Jobs",
		Long: `Run failed Jobs again, as new Jobs. An error stands for its whole Job, and is recorded as what the
retry is meant to fix. Once a retry succeeds, the operator resolves the captured errors of the Job.

With --wait, it follows the retries until they end. Ctrl-C stops the waiting, not the retries. If a
retry does not succeed, the exit code is 1.`,
		Example: `  # Run it again, and wait for the result
  kubectl joberrors retry nightly-import --wait --reason "the bucket is writable again"

  # With more memory and an argument, this time only
  kubectl joberrors retry nightly-import --set main.limits.memory=2Gi --set main.args=--verbose

  # Which Job would be created?
  kubectl joberrors retry nightly-import --dry-run=server -o yaml`,
		Args:              usage(cobra.MinimumNArgs(1)),
		ValidArgsFunction: o.completeTargets(ptr.To(true)),
		RunE:              func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&r.template, "template", "", "The template to run: Current, the CronJob's as it is now, or Original, that of the failed Job. The default is Current for a run of a CronJob.")
	flags.StringVar(&r.indexes, "indexes", "", "The indexes of an Indexed Job to run: Unfinished (the default) or All.")
	flags.StringArrayVar(&r.set, "set", nil, "Change a container for this retry only. It "+overrides.Rule+". Repeat it for more.")
	flags.StringVar(&r.reason, "reason", "", "Why, for later readers.")
	flags.BoolVar(&r.wait, "wait", false, "Wait until the retries have ended.")
	completeFlag(cmd, "indexes", string(joberrorv1.RetryUnfinished), string(joberrorv1.RetryAll))
	completeFlag(cmd, "set")
	completeFlag(cmd, "reason")
	r.dryRun.addFlag(cmd)
	completeFlag(cmd, "template", string(joberrorv1.RetryCurrent), string(joberrorv1.RetryOriginal))
	r.output = addOutputWithoutTemplates(cmd)
	return cmd
}

func (r *retryOptions) run(ctx context.Context, args []string) error {
	printer, request, err := r.validate()
	if err != nil {
		return err
	}
	cl, namespace, err := r.client()
	if err != nil {
		return err
	}
	targets, err := lookupAll(ctx, cl, namespace, args)
	if err != nil {
		return err
	}
	results := &outcomes{options: r.options}
	var started []*joberrorv1.JobErrorRetry
	for _, t := range targets {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		request.Errors = t.names()
		job := api.Job{Namespace: namespace, ID: cmp.Or(string(t.uid), t.job)}
		if r.dryRun.server() {
			results.add(r.preview(ctx, cl, job, t.job, request, printer))
			continue
		}
		jet := &joberrorv1.JobErrorRetry{}
		if err := cl.Retry(ctx, job, request, false, jet); err != nil {
			if ctx.Err() != nil {
				return err
			}
			results.add(fmt.Errorf("retry job/%s: %w", t.job, err))
			continue
		}
		started = append(started, jet)
		if printer == nil {
			fmt.Fprintln(r.Out, describeRetry(t.job, jet))
		} else if err := printer.PrintObj(jet, r.Out); err != nil {
			return err
		}
	}
	if r.wait {
		for _, jet := range started {
			err := r.follow(ctx, cl, jet)
			if ctx.Err() != nil {
				return err
			}
			results.add(err)
		}
	}
	return results.err()
}

func (r *retryOptions) validate() (printers.ResourcePrinter, resolvev1.RetryRequest, error) {
	request := resolvev1.RetryRequest{Template: joberrorv1.RetryTemplate(r.template), Indexes: joberrorv1.RetryIndexes(r.indexes), Reason: r.reason}
	switch request.Template {
	case "", joberrorv1.RetryCurrent, joberrorv1.RetryOriginal:
	default:
		return nil, request, usageError{fmt.Errorf("--template: %q must be Current or Original", r.template)}
	}
	switch request.Indexes {
	case "", joberrorv1.RetryUnfinished, joberrorv1.RetryAll:
	default:
		return nil, request, usageError{fmt.Errorf("--indexes: %q must be Unfinished or All", r.indexes)}
	}
	var err error
	if request.Set, err = overrides.Parse(r.set); err != nil {
		return nil, request, usageError{err}
	}
	if err := r.dryRun.validate(); err != nil {
		return nil, request, err
	}
	printer, err := r.output.printer()
	return printer, request, err
}

// preview prints the Job that a retry would create. name is what people call the failed Job.
func (r *retryOptions) preview(ctx context.Context, cl *api.Client, job api.Job, name string, request resolvev1.RetryRequest, printer printers.ResourcePrinter) error {
	planned := &batchv1.Job{}
	if err := cl.Retry(ctx, job, request, true, planned); err != nil {
		return fmt.Errorf("retry job/%s: %w", name, err)
	}
	if printer != nil {
		return printer.PrintObj(planned, r.Out)
	}
	fmt.Fprintf(r.Out, "job/%s would run as job/%s%s\n", name, planned.Name, r.dryRun.suffix())
	return nil
}

func describeRetry(name string, jet *joberrorv1.JobErrorRetry) string {
	if jet.Status.Job == nil {
		return fmt.Sprintf("joberrorretry/%s is accepted; job/%s is not running yet", jet.Name, name)
	}
	return fmt.Sprintf("job/%s runs as job/%s (attempt %d, joberrorretry/%s)", name, jet.Status.Job.Name, jet.Status.Attempt, jet.Name)
}

// follow shows how a retry proceeds until it ends.
func (r *retryOptions) follow(ctx context.Context, cl *api.Client, jet *joberrorv1.JobErrorRetry) error {
	meter := r.meter()
	failing := patience{clock: clock.RealClock{}}
	for {
		ended := meta.FindStatusCondition(jet.Status.Conditions, joberrorv1.ConditionSucceeded)
		if ended != nil && ended.Status != metav1.ConditionUnknown {
			meter.Clear()
			return r.result(jet, ended)
		}
		meter.Show(r.state(ctx, cl, jet))
		if err := pause(ctx, followEvery); err != nil {
			meter.Clear()
			fmt.Fprintf(r.ErrOut, "Interrupted. The retry goes on. To look at it:\n  %s\n", r.look(jet))
			return interrupted
		}
		err := cl.Get(ctx, client.ObjectKeyFromObject(jet), jet)
		switch {
		case apierrors.IsForbidden(err):
			meter.Clear()
			fmt.Fprintf(r.ErrOut, "The retry runs, but you may not read how it ends. Ask somebody who may:\n  %s\n", r.look(jet))
			return failed
		case !failing.bears(err) && ctx.Err() == nil:
			meter.Clear()
			return fmt.Errorf("read joberrorretry/%s, which goes on: %w", jet.Name, err)
		}
	}
}

// look returns the command to look at a retry.
func (r *retryOptions) look(jet *joberrorv1.JobErrorRetry) string {
	return r.hint("kubectl", "get", "jet", jet.Name, "-n", jet.Namespace)
}

// state returns how far the Job of a retry is, as far as the user may read it.
func (r *retryOptions) state(ctx context.Context, cl *api.Client, jet *joberrorv1.JobErrorRetry) progress.State {
	state := progress.State{Verb: "waiting for the Job; pods that succeeded:"}
	if jet.Status.Job == nil {
		return state
	}
	state.Verb = "job/" + jet.Status.Job.Name + " is running; pods that succeeded:"
	job := &batchv1.Job{}
	if err := cl.Get(ctx, client.ObjectKey{Namespace: jet.Namespace, Name: jet.Status.Job.Name}, job); err != nil {
		// The status of the retry alone says how it ends.
		return state
	}
	state.Done, state.Total = int64(job.Status.Succeeded), int64(ptr.Deref(job.Spec.Completions, 1))
	state.Note = fmt.Sprintf("%d active", job.Status.Active)
	if job.Status.Failed > 0 {
		state.Note += fmt.Sprintf(", %d failed", job.Status.Failed)
	}
	return state
}

func (r *retryOptions) result(jet *joberrorv1.JobErrorRetry, ended *metav1.Condition) error {
	name := jet.Spec.JobID
	if jet.Status.Job != nil {
		name = jet.Status.Job.Name
	}
	if ended.Status == metav1.ConditionTrue {
		// With -o, standard output has the objects only.
		out := r.Out
		if *r.output.flags.OutputFormat != "" {
			out = r.ErrOut
		}
		fmt.Fprintf(out, "job/%s succeeded; %s resolved\n", name, progress.Count(int64(jet.Status.Resolved), "error"))
		return nil
	}
	fmt.Fprintf(r.ErrOut, "job/%s did not succeed: %s: %s\n", name, ended.Reason, ended.Message)
	fmt.Fprintf(r.ErrOut, "To see why:\n  %s\n", r.hint("kubectl", "joberrors", "show", "job/"+name, "-n", jet.Namespace))
	return failed
}
