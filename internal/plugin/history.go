// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/filter"
	"joberror.io/operator/internal/plugin/history"
	"joberror.io/operator/internal/plugin/progress"
)

type historyOptions struct {
	*options
	since, until string
	limit        int
	format       string
}

func newHistory(o *options) *cobra.Command {
	h := &historyOptions{options: o}
	cmd := &cobra.Command{
		Use:   "history JOB",
		Short: "List the archived errors of a Job, the last one first",
		Long: `List the archived errors of a Job, the last one first. Errors are archived when they expire, if the
operator runs with --archive-url. The Job may be deleted. Name it by its name or UID.

Only errors of the namespace as it is now are found: a namespace that was deleted and created again
has no history from before. An error that was archived a moment ago may still be in the cluster, too.

With -o json or yaml, it prints the records as the endpoint returns them, as an array.`,
		Example: `  kubectl joberrors history nightly-import
  kubectl joberrors history nightly-import --since=90d -o wide

  # Who resolved the errors of last year?
  kubectl joberrors history nightly-import --since=52w -o json | jq -r '.[].archived.resolvedBy'`,
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: firstOnly(o.completeJobs()),
		RunE:              func(cmd *cobra.Command, args []string) error { return h.run(cmd.Context(), args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&h.since, "since", "", "Errors that happened within this time, such as 24h, 90d or 52w, or since a time in RFC 3339.")
	flags.StringVar(&h.until, "until", "", "Errors that happened before this time, given in the same way.")
	flags.IntVar(&h.limit, "limit", 0, "Show only this many errors, the newest ones. 0 means no limit.")
	flags.StringVarP(&h.format, "output", "o", "", "Output format. One of: (wide, json, yaml, name).")
	completeFlag(cmd, "since", "7d", "30d", "90d", "52w")
	completeFlag(cmd, "until", "7d", "30d")
	completeFlag(cmd, "limit")
	completeFlag(cmd, "output", historyFormats...)
	return cmd
}

func (h *historyOptions) run(ctx context.Context, arg string) error {
	query, err := h.query(arg, time.Now())
	if err != nil {
		return err
	}
	c, namespace, err := h.client()
	if err != nil {
		return err
	}
	query.Namespace = namespace
	found, err := h.collect(ctx, c, query)
	if err != nil {
		return h.describeHistory(err, query.Job)
	}
	if err := h.print(found); err != nil {
		return err
	}
	if found.interrupted {
		return interrupted
	}
	return nil
}

// query returns what the flags ask for, without the namespace.
func (h *historyOptions) query(arg string, now time.Time) (api.HistoryQuery, error) {
	kind, job, err := splitTarget(arg)
	if err == nil && kind == "joberror" {
		err = usageError{fmt.Errorf("%q must be a Job", arg)}
	}
	query := api.HistoryQuery{Job: api.Job{ID: job}}
	if err != nil {
		return query, err
	}
	if query.Since, err = moment(h.since, now); err != nil {
		return query, usageError{fmt.Errorf("--since: %w", err)}
	}
	if query.Until, err = moment(h.until, now); err != nil {
		return query, usageError{fmt.Errorf("--until: %w", err)}
	}
	switch {
	case !query.Since.IsZero() && !query.Until.IsZero() && !query.Since.Before(query.Until):
		return query, usageError{errors.New("--since: must be before --until")}
	case h.limit < 0:
		return query, usageError{fmt.Errorf("--limit: %d must not be negative", h.limit)}
	}
	return query, h.checkFormat()
}

// moment returns the time that a flag gives as an age or in RFC 3339, or zero if it is empty.
func moment(value string, now time.Time) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, value); err == nil {
		return at, nil
	}
	age, err := filter.ParseAge(value)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w, or a time in RFC 3339", err)
	}
	return now.Add(-age), nil
}

// historyFound holds the archived errors that were found.
type historyFound struct {
	history.Records
	// through is the day that the search has reached.
	through string
	skipped int
	// interrupted is set if Ctrl-C ended the search, and limited if --limit did.
	interrupted, limited bool
}

// hasNewest reports whether the newest errors were found, as many as the limit. The pages of a day
// are not sorted by time, so only errors of later days than the one of the search count.
func (f *historyFound) hasNewest(limit int) bool {
	return f.through != "" && f.CountAfter(f.through) >= limit
}

const (
	// historyTries limits how often a page is asked for while the operator is busy.
	historyTries = 10
	// historyPause is the shortest pause before the next try.
	historyPause = time.Second
)

// collect reads pages until the last one, and shows how far it has come. After Ctrl-C it returns
// what it has found so far.
func (h *historyOptions) collect(ctx context.Context, c *api.Client, query api.HistoryQuery) (*historyFound, error) {
	found := &historyFound{}
	meter := h.meter()
	defer meter.Clear()
	end := query.Until
	if end.IsZero() {
		end = time.Now()
	}
	for next := ""; ; {
		page, err := historyPage(ctx, c, query, next)
		if ctx.Err() != nil {
			found.interrupted = true
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		found.Add(page.Records)
		found.skipped += page.Skipped
		if page.Through != "" {
			found.through = page.Through
		}
		for _, warning := range page.Warnings {
			meter.Clear()
			h.warnings.HandleWarningHeader(299, "", warning)
		}
		next = page.Next
		if next == "" || h.limit > 0 && found.hasNewest(h.limit) {
			found.limited = h.limit > 0 && (next != "" || found.Len() > h.limit)
			return found, nil
		}
		meter.Show(progress.State{Verb: "found", Done: int64(found.Len()), Share: history.Share(query.Since, end, found.through), Note: backTo(found.through)})
	}
}

func backTo(day string) string {
	if day == "" {
		return ""
	}
	return "back to " + day
}

// historyPage reads a page. It tries again while the operator serves too many of these requests.
func historyPage(ctx context.Context, c *api.Client, query api.HistoryQuery, next string) (api.HistoryPage, error) {
	for try := 1; ; try++ {
		page, err := c.History(ctx, query, next)
		if !apierrors.IsTooManyRequests(err) || try == historyTries {
			return page, err
		}
		seconds, _ := apierrors.SuggestsClientDelay(err)
		if err := pause(ctx, max(historyPause, time.Duration(seconds)*time.Second)); err != nil {
			return page, err
		}
	}
}

// describeHistory returns the error with what to do about it.
func (h *historyOptions) describeHistory(err error, job api.Job) error {
	switch {
	case errors.Is(err, api.ErrNoArchive):
		return fmt.Errorf("read the history of job/%s: %w. An administrator can set it; errors that expire from then on are archived", job.ID, err)
	case errors.Is(err, api.ErrNoHistory):
		return fmt.Errorf("read the history of job/%s: %w. Compare the versions with: %s", job.ID, err, h.hint("kubectl", "joberrors", "check"))
	}
	return fmt.Errorf("read the history of job/%s: %w", job.ID, err)
}
