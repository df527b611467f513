// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"joberror.io/operator/internal/plugin/api"
)

// maxListedRefusals limits the refused rows that are listed on standard error.
const maxListedRefusals = 50

type reportOptions struct {
	*options
	file, refusedFile string
	fromLine          int
	createdAt         string
	dryRun            dryRun
}

func newReport(o *options) *cobra.Command {
	r := &reportOptions{options: o}
	cmd := &cobra.Command{
		Use:   "report JOB --file FILE",
		Short: "Report the errors of a Job's records, from a file with one JSON object per line",
		Long: `Report the errors of a Job's records, from a file with one JSON object per line, or one array of
objects. It sends up to 1,000 rows at a time, and holds no more than these in memory.

A row that the server refuses does not stop the others. It is listed with its line, or its place in
the array, and the exit code is 1. --refused writes all of them to a file, one JSON object per line
with line, code, message and row; "jq -c .row" turns it into a file that can be fixed and reported.

No row is counted twice, and no row is lost: a row without a createdAt gets one, the time when the
file was last changed plus its line number in nanoseconds, and the server counts a row with the same
createdAt once. So you may run the command again after any failure, as long as the file is the same.
Rows of standard input get the time when the command starts: run it again with the --created-at that
it prints. After Ctrl-C, it prints the command that goes on with the first row that may be missing.`,
		Example: `  kubectl joberrors report nightly-import --file rows.ndjson --refused refused.ndjson

  jq -c '.failures[]' result.json | kubectl joberrors report nightly-import --file -`,
		Args:              usage(cobra.ExactArgs(1)),
		ValidArgsFunction: firstOnly(o.completeJobs()),
		RunE:              func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVarP(&r.file, "file", "f", "", "The file with the rows; - for standard input.")
	flags.StringVar(&r.refusedFile, "refused", "", "Write the refused rows to this file. With --from-line, they are added to it.")
	flags.IntVar(&r.fromLine, "from-line", 1, "Start at this line, or at this place in an array.")
	flags.StringVar(&r.createdAt, "created-at", "", "The time for rows without a createdAt, in RFC 3339. The default is when the file was last changed; for standard input, it is now.")
	completeFlag(cmd, "created-at")
	completeFlag(cmd, "from-line")
	r.dryRun.addFlag(cmd)
	return cmd
}

func (r *reportOptions) run(ctx context.Context, arg string) (err error) {
	kind, job, err := splitTarget(arg)
	if err == nil && kind == "joberror" {
		err = usageError{fmt.Errorf("%q must be a Job", arg)}
	}
	if err != nil {
		return err
	}
	if err := r.validate(); err != nil {
		return err
	}
	base, err := r.base()
	if err != nil {
		return err
	}
	in, err := r.open()
	if err != nil {
		return err
	}
	defer in.Close()
	cl, namespace, err := r.client()
	if err != nil {
		return err
	}
	refused, err := r.openRefused()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, refused.close()) }()
	u := &upload{reportOptions: r, client: cl, job: api.Job{Namespace: namespace, ID: job}, base: base, in: in, meter: r.meter(), refused: refused, next: r.fromLine}
	return u.run(ctx)
}

func (r *reportOptions) validate() error {
	switch {
	case r.file == "":
		return usageError{errors.New("--file: must be a file with rows, or - for standard input")}
	case r.fromLine < 1:
		return usageError{fmt.Errorf("--from-line: %d must be at least 1", r.fromLine)}
	}
	return r.dryRun.validate()
}

// base returns the time for rows without a createdAt.
func (r *reportOptions) base() (time.Time, error) {
	if r.createdAt != "" {
		at, err := time.Parse(time.RFC3339, r.createdAt)
		if err != nil {
			return at, usageError{fmt.Errorf("--created-at: %q must be a time in RFC 3339, such as 2026-11-05T10:15:00Z", r.createdAt)}
		}
		return at, nil
	}
	if r.file == "-" {
		return time.Now(), nil
	}
	info, err := os.Stat(r.file)
	if err != nil {
		return time.Time{}, fmt.Errorf("--file: %w", err)
	}
	return info.ModTime(), nil
}
