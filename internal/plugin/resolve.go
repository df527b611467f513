// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/cli-runtime/pkg/printers"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/progress"
	"joberror.io/operator/internal/resolution"
)

// changeOptions holds what resolve and reopen share.
type changeOptions struct {
	*options
	resolved bool
	reason   string
	dryRun   dryRun
	output   *output
	// printer prints the changed objects; nil if the command writes for people.
	printer printers.ResourcePrinter
	// verb and past name the change, such as "resolve" and "resolved". why is an example of a reason.
	verb, past, why string
}

func newResolve(o *options) *cobra.Command {
	c := &changeOptions{options: o, resolved: true, verb: "resolve", past: "resolved", why: "the rows were fixed by hand"}
	return c.command("Resolve every open error of Jobs, or named errors")
}

func newReopen(o *options) *cobra.Command {
	c := &changeOptions{options: o, verb: "reopen", past: "reopened", why: "the fix did not work"}
	return c.command("Reopen every resolved error of Jobs, or named errors")
}

func (c *changeOptions) command(short string) *cobra.Command {
	cmd := &cobra.Command{
		Use:   c.verb + " (JOB | ERROR)...",
		Short: short,
		Long: short + `.

For a whole Job, it creates a JobErrorResolution and shows its progress. Ctrl-C leaves it running
in the cluster, and prints the command to look at it. Named errors are changed at once. While the
aggregated API is down, named errors are patched one by one, and the reason is not recorded.

With -o json, yaml or name, standard output has the JobErrorResolutions, or the errors that were
patched, and what people read goes to standard error.

Name a Job by its name or UID; it may be deleted. If a Job and an error have the same name, write
job/NAME or joberror/NAME.`,
		Example: fmt.Sprintf(`  # Every error of a Job
  kubectl joberrors %[1]s nightly-import --reason "%[2]s"

  # Two errors
  kubectl joberrors %[1]s joberror/nightly-import-row-17 joberror/nightly-import-row-18

  # What would change?
  kubectl joberrors %[1]s nightly-import --dry-run=server

  # The request that was made, for a program
  kubectl joberrors %[1]s nightly-import -o name`, c.verb, c.why),
		Args:              usage(cobra.MinimumNArgs(1)),
		ValidArgsFunction: c.completeTargets(&c.resolved),
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), args) },
	}
	cmd.Flags().StringVar(&c.reason, "reason", "", "Why, for later readers.")
	completeFlag(cmd, "reason")
	c.dryRun.addFlag(cmd)
	c.output = addOutput(cmd)
	return cmd
}

func (c *changeOptions) run(ctx context.Context, args []string) error {
	if err := c.dryRun.validate(); err != nil {
		return err
	}
	var err error
	if c.printer, err = c.output.printer(); err != nil {
		return err
	}
	cl, namespace, err := c.client()
	if err != nil {
		return err
	}
	targets, err := lookupAll(ctx, cl, namespace, args)
	if err != nil {
		return err
	}
	results := &outcomes{options: c.options}
	for _, t := range requestsFor(targets) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		job := api.Job{Namespace: namespace, ID: t.job}
		if t.whole() {
			err = c.changeJob(ctx, cl, job)
		} else {
			err = c.changeErrors(ctx, cl, job, t)
		}
		if ctx.Err() != nil && err != nil {
			return err
		}
		results.add(err)
	}
	return results.err()
}

// requestsFor splits targets that name more errors than a request can.
func requestsFor(targets []jobTargets) []jobTargets {
	var split []jobTargets
	for _, t := range targets {
		if t.whole() {
			split = append(split, t)
		}
		for errs := range slices.Chunk(t.errors, joberrorv1.MaxNamedErrors) {
			split = append(split, jobTargets{job: t.job, uid: t.uid, errors: errs})
		}
	}
	return split
}

func (c *changeOptions) change() api.Change {
	return api.Change{Resolved: c.resolved, Reason: c.reason, DryRun: c.dryRun.server()}
}

// changeErrors changes named errors of a job.
func (c *changeOptions) changeErrors(ctx context.Context, cl *api.Client, job api.Job, t jobTargets) error {
	var jer *joberrorv1.JobErrorResolution
	var err error
	if names := t.names(); len(names) == 1 {
		jer, err = cl.ChangeOne(ctx, job, names[0], c.change())
	} else {
		jer, err = cl.ChangeMany(ctx, job, names, c.change())
	}
	if api.IsUnavailable(err) {
		return c.patchErrors(ctx, cl, t)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", c.verb, what(t.names()), err)
	}
	if !resolution.IsComplete(jer) {
		return c.follow(ctx, cl, jer, int32(len(t.errors)))
	}
	return c.report(jer, what(t.names()))
}

func what(names []string) string {
	if len(names) == 1 {
		return "joberror/" + names[0]
	}
	return progress.Count(int64(len(names)), "error")
}

// patchErrors changes errors through their own resource.
func (c *changeOptions) patchErrors(ctx context.Context, cl *api.Client, t jobTargets) error {
	fmt.Fprintf(c.ErrOut, "%s\nThe errors are patched instead.\n", c.unavailable())
	if c.reason != "" {
		fmt.Fprintln(c.ErrOut, "The reason is not recorded.")
	}
	patch := client.RawPatch(types.MergePatchType, fmt.Appendf(nil, `{"spec":{"resolved":%t}}`, c.resolved))
	var failures []error
	for _, je := range t.errors {
		if je.Spec.Resolved == c.resolved {
			fmt.Fprintf(c.people(), "joberror/%s already %s\n", je.Name, c.past)
			continue
		}
		var opts []client.PatchOption
		if c.dryRun.server() {
			opts = append(opts, client.DryRunAll)
		}
		if err := cl.Patch(ctx, je, patch, opts...); err != nil {
			failures = append(failures, fmt.Errorf("%s joberror/%s: %w", c.verb, je.Name, err))
			continue
		}
		fmt.Fprintf(c.people(), "joberror/%s %s%s\n", je.Name, c.past, c.dryRun.suffix())
		if err := c.print(je); err != nil {
			return err
		}
	}
	return errors.Join(failures...)
}

// changeJob changes every error of a job.
func (c *changeOptions) changeJob(ctx context.Context, cl *api.Client, job api.Job) error {
	preview := c.change()
	preview.DryRun = true
	planned, err := cl.ChangeMany(ctx, job, nil, preview)
	down := api.IsUnavailable(err)
	switch {
	case apierrors.IsNotFound(err) && !down:
		return fmt.Errorf("%s job/%s: neither a Job nor an error in namespace %s has this name", c.verb, job.ID, job.Namespace)
	case err != nil && (!down || c.dryRun.server()):
		return fmt.Errorf("%s job/%s: %w", c.verb, job.ID, err)
	case down:
		fmt.Fprintln(c.ErrOut, c.unavailable())
	case c.dryRun.server():
		return c.report(planned, "job/"+job.ID)
	case planned.Status.Matched == 0:
		fmt.Fprintf(c.people(), "job/%s: no errors to %s\n", job.ID, c.verb)
		return nil
	}
	prefix := "resolve-"
	if !c.resolved {
		prefix = "unresolve-"
	}
	jer := &joberrorv1.JobErrorResolution{Spec: joberrorv1.JobErrorResolutionSpec{JobID: job.ID, Resolved: ptr.To(c.resolved), Reason: c.reason}}
	jer.Namespace, jer.GenerateName = job.Namespace, prefix
	if err := cl.Create(ctx, jer); err != nil {
		return fmt.Errorf("%s job/%s: %w", c.verb, job.ID, err)
	}
	if down {
		fmt.Fprintf(c.ErrOut, "The request is stored. The operator carries it out once it runs. To look at it:\n  %s\n", c.look(jer))
		return cmp.Or(c.print(jer), error(failed))
	}
	return c.follow(ctx, cl, jer, planned.Status.Matched)
}

// followEvery is how often a request is read.
const followEvery = 300 * time.Millisecond

// follow shows the progress of a resolution until it is complete. planned is how many errors it
// is expected to match.
func (c *changeOptions) follow(ctx context.Context, cl *api.Client, jer *joberrorv1.JobErrorResolution, planned int32) error {
	meter := c.meter()
	failing := patience{clock: clock.RealClock{}}
	for !resolution.IsComplete(jer) {
		meter.Show(c.state(jer.Status, planned))
		if err := pause(ctx, followEvery); err != nil {
			meter.Clear()
			fmt.Fprintf(c.ErrOut, "Interrupted. The request goes on in the cluster. To look at it:\n  %s\n", c.look(jer))
			return cmp.Or(c.print(jer), error(interrupted))
		}
		err := cl.Get(ctx, client.ObjectKeyFromObject(jer), jer)
		switch {
		case apierrors.IsForbidden(err):
			meter.Clear()
			fmt.Fprintf(c.ErrOut, "The request is accepted, but you may not read how far it is. Ask somebody who may:\n  %s\n", c.look(jer))
			return c.print(jer)
		case !failing.bears(err) && ctx.Err() == nil:
			meter.Clear()
			return fmt.Errorf("read the progress of joberrorresolution/%s, which goes on: %w", jer.Name, err)
		}
	}
	meter.Clear()
	return c.report(jer, "job/"+jer.Spec.JobID)
}

// state returns how far a resolution has come. While it runs, its status counts as matched only
// the errors that it has already read.
func (c *changeOptions) state(s joberrorv1.JobErrorResolutionStatus, planned int32) progress.State {
	return progress.State{Verb: c.past, Done: int64(s.Updated + s.Unchanged + s.Failed), Total: int64(max(s.Matched, planned)), Note: failedNote(s.Failed)}
}

func failedNote(n int32) string {
	if n == 0 {
		return ""
	}
	return progress.Number(int64(n)) + " failed"
}

// look returns the command to look at a resolution.
func (c *changeOptions) look(jer *joberrorv1.JobErrorResolution) string {
	return c.hint("kubectl", "get", "jer", jer.Name, "-n", jer.Namespace)
}

// report writes the result of a resolution.
func (c *changeOptions) report(jer *joberrorv1.JobErrorResolution, subject string) error {
	s := jer.Status
	number := func(n int32) string { return progress.Number(int64(n)) }
	switch {
	case s.Matched == 0 && s.Failed == 0:
		fmt.Fprintf(c.people(), "%s: no errors to %s\n", subject, c.verb)
	case s.Matched == 1 && s.Updated == 1 && len(jer.Spec.Errors) == 1:
		fmt.Fprintf(c.people(), "%s %s%s\n", subject, c.past, c.dryRun.suffix())
	case s.Matched == 1 && s.Unchanged == 1 && len(jer.Spec.Errors) == 1:
		fmt.Fprintf(c.people(), "%s already %s\n", subject, c.past)
	default:
		text := fmt.Sprintf("%s: %s of %s %s", subject, number(s.Updated), progress.Count(int64(s.Matched), "error"), c.past)
		if s.Unchanged > 0 {
			text += fmt.Sprintf(", %s already were", number(s.Unchanged))
		}
		fmt.Fprintf(c.people(), "%s%s\n", text, c.dryRun.suffix())
	}
	if err := c.print(jer); err != nil || s.Failed == 0 {
		return err
	}
	fmt.Fprintf(c.ErrOut, "%s could not be %s:\n", progress.Count(int64(s.Failed), "error"), c.past)
	for _, f := range s.Failures {
		fmt.Fprintf(c.ErrOut, "  joberror/%s: %s: %s\n", f.Name, f.Reason, f.Message)
	}
	if left := int(s.Failed) - len(s.Failures); left > 0 {
		fmt.Fprintf(c.ErrOut, "  and %d more\n", left)
	}
	return failed
}

// people returns where to write for people. With -o, standard output has the objects only.
func (c *changeOptions) people() io.Writer {
	if c.printer != nil {
		return c.ErrOut
	}
	return c.Out
}

// print prints an object if -o asks for it.
func (c *changeOptions) print(object runtime.Object) error {
	if c.printer == nil {
		return nil
	}
	return c.printer.PrintObj(object, c.Out)
}

// pause waits, or returns an error once ctx is done.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
