// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/progress"
	"joberror.io/operator/internal/plugin/rows"
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
After Ctrl-C, it prints the command that goes on with the first row that may be missing.`,
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

// input counts the bytes that are read, for the progress.
type input struct {
	io.ReadCloser
	read atomic.Int64
	size int64
}

// Read reads, and counts.
func (i *input) Read(p []byte) (int, error) {
	n, err := i.ReadCloser.Read(p)
	i.read.Add(int64(n))
	return n, err
}

func (r *reportOptions) open() (*input, error) {
	if r.file == "-" {
		return &input{ReadCloser: io.NopCloser(r.In)}, nil
	}
	file, err := os.Open(r.file)
	if err != nil {
		return nil, fmt.Errorf("--file: %w", err)
	}
	in := &input{ReadCloser: file}
	// A pipe has no size.
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		in.size = info.Size()
	}
	return in, nil
}

// upload reports the rows of one input.
type upload struct {
	*reportOptions
	client  *api.Client
	job     api.Job
	base    time.Time
	in      *input
	meter   *progress.Meter
	refused *refusals

	// next is the first row that may not be stored.
	next   int
	stored int64
	// pending holds the rows of the current batch that are refused. They are listed once the
	// batch is done: after an interruption, the batch is sent again.
	pending []refusal
}

func (u *upload) run(ctx context.Context) error {
	err := u.sendAll(ctx)
	u.meter.Clear()
	summary := fmt.Sprintf("job/%s: %s reported%s", u.job.ID, progress.Count(u.stored, "row"), u.dryRun.suffix())
	if n := u.refused.count; n > 0 {
		summary += fmt.Sprintf(", %s refused", progress.Number(int64(n)))
	}
	if u.refused.count > maxListedRefusals && u.refusedFile == "" {
		fmt.Fprintf(u.ErrOut, "and %s more; --refused FILE writes all of them\n", progress.Number(int64(u.refused.count-maxListedRefusals)))
	}
	switch {
	case err != nil:
		fmt.Fprintln(u.ErrOut, summary)
		fmt.Fprintf(u.ErrOut, "The rows before line %d are done. To go on:\n  %s\n", u.next, u.resume())
		if ctx.Err() != nil {
			return interrupted
		}
		return fmt.Errorf("report rows of job/%s: %w", u.job.ID, err)
	case u.refused.count > 0:
		fmt.Fprintln(u.Out, summary)
		return failed
	}
	fmt.Fprintln(u.Out, summary)
	return nil
}

// resume returns the command that goes on. The rows keep their times even if the file has
// another one by then.
func (u *upload) resume() string {
	command := fmt.Sprintf("kubectl joberrors report %s -n %s --file %s --from-line %d --created-at %s",
		u.job.ID, u.job.Namespace, u.file, u.next, u.base.UTC().Format(time.RFC3339Nano))
	if u.refusedFile != "" {
		command += " --refused " + u.refusedFile
	}
	return command
}

// nextRow is a row, or the error that ended them.
type nextRow struct {
	row rows.Row
	err error
}

// read reads the rows one by one. Ctrl-C must not wait for a pipe, so a goroutine reads, which
// ends with the process at the latest.
func (u *upload) read(ctx context.Context) <-chan nextRow {
	next := make(chan nextRow)
	go func() {
		reader := rows.NewReader(u.in)
		for {
			row, err := reader.Next()
			select {
			case next <- nextRow{row, err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return next
}

func (u *upload) sendAll(ctx context.Context) error {
	var batch rows.Batch
	last := u.next - 1
	next := u.read(ctx)
	for {
		var row rows.Row
		var err error
		select {
		case <-ctx.Done():
			return ctx.Err()
		case n := <-next:
			row, err = n.row, n.err
		}
		if err != nil && !errors.Is(err, io.EOF) {
			// The rows before are whole.
			return errors.Join(u.send(ctx, batch.Rows, last), err)
		}
		if err != nil {
			return u.send(ctx, batch.Rows, last)
		}
		if row.Number < u.fromLine {
			continue
		}
		if row.Problem == "" {
			if row, err = rows.Stamp(row, u.base); err != nil {
				return err
			}
			if !batch.Fits(row) {
				if err := u.send(ctx, batch.Rows, last); err != nil {
					return err
				}
				batch = rows.Batch{}
			}
			batch.Add(row)
		} else {
			u.pending = append(u.pending, refusal{row, 400, row.Problem})
			// Many bad rows in sequence must not fill the memory.
			if len(u.pending) >= 1000 {
				if err := u.send(ctx, batch.Rows, row.Number); err != nil {
					return err
				}
				batch = rows.Batch{}
			}
		}
		last = row.Number
	}
}

// send sends the rows up to this line, and lists those that are refused.
func (u *upload) send(ctx context.Context, batch []rows.Row, last int) error {
	sender := rows.Sender{
		Post: func(ctx context.Context, body []byte) ([]resolvev1.ReportedRecord, error) {
			return u.client.Report(ctx, u.job, body, u.dryRun.server())
		},
		Refused: func(row rows.Row, code int32, reason string) error {
			u.pending = append(u.pending, refusal{row, code, reason})
			return nil
		},
		Wait: func(ctx context.Context, delay time.Duration, why string) error {
			u.show(fmt.Sprintf("waiting %s: %s", delay, why))
			return pause(ctx, delay)
		},
	}
	local := len(u.pending)
	if err := sender.Send(ctx, batch); err != nil {
		u.pending = nil
		return err
	}
	u.stored += int64(len(batch) - (len(u.pending) - local))
	for _, r := range u.pending {
		u.meter.Clear()
		if err := u.refused.add(r); err != nil {
			return err
		}
	}
	u.pending = nil
	u.next = max(u.next, last+1)
	u.show("")
	return ctx.Err()
}

func (u *upload) show(note string) {
	state := progress.State{Verb: "reported", Done: u.stored, Note: note}
	if u.in.size > 0 {
		state.Share = float64(u.in.read.Load()) / float64(u.in.size)
	}
	if note == "" && u.refused.count > 0 {
		state.Note = progress.Number(int64(u.refused.count)) + " refused"
	}
	u.meter.Show(state)
}

// refusal is a row that was refused.
type refusal struct {
	row    rows.Row
	code   int32
	reason string
}

// refusals lists refused rows on standard error, and writes them to a file.
type refusals struct {
	out   io.Writer
	file  *os.File
	count int
}

func (r *reportOptions) openRefused() (*refusals, error) {
	refused := &refusals{out: r.ErrOut}
	if r.refusedFile == "" {
		return refused, nil
	}
	if absolute(r.refusedFile) == absolute(r.file) {
		return nil, usageError{errors.New("--refused: must not be the file with the rows")}
	}
	mode := os.O_TRUNC
	if r.fromLine > 1 {
		mode = os.O_APPEND
	}
	var err error
	if refused.file, err = os.OpenFile(r.refusedFile, os.O_CREATE|os.O_WRONLY|mode, 0o666); err != nil {
		return nil, fmt.Errorf("--refused: %w", err)
	}
	return refused, nil
}

func absolute(path string) string {
	if a, err := filepath.Abs(path); err == nil {
		return a
	}
	return path
}

func (r *refusals) add(refused refusal) error {
	if r.count++; r.count <= maxListedRefusals {
		fmt.Fprintf(r.out, "line %d: %s\n", refused.row.Number, refused.reason)
	}
	if r.file == nil {
		return nil
	}
	row := json.RawMessage(refused.row.JSON)
	if !json.Valid(row) {
		text, err := json.Marshal(string(refused.row.JSON))
		if err != nil {
			return fmt.Errorf("--refused: encode line %d: %w", refused.row.Number, err)
		}
		row = text
	}
	line, err := json.Marshal(struct {
		Line    int             `json:"line"`
		Code    int32           `json:"code"`
		Message string          `json:"message"`
		Row     json.RawMessage `json:"row"`
	}{refused.row.Number, refused.code, refused.reason, row})
	if err == nil {
		_, err = r.file.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("--refused: write line %d: %w", refused.row.Number, err)
	}
	return nil
}

func (r *refusals) close() error {
	if r.file == nil {
		return nil
	}
	if err := r.file.Close(); err != nil {
		return fmt.Errorf("--refused: %w", err)
	}
	return nil
}
