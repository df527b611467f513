// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/plugin/api"
	"joberror.io/operator/internal/plugin/progress"
	"joberror.io/operator/internal/plugin/rows"
)

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
	case u.rejected(err):
		return fmt.Errorf("report rows of job/%s: %w", u.job.ID, err)
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

// rejected reports whether the server refused the first request as a whole, so that nothing is
// stored and there is nothing to go on with.
func (u *upload) rejected(err error) bool {
	return u.stored == 0 && u.refused.count == 0 && (apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) && !api.IsUnavailable(err))
}

// resume returns the command that goes on. The rows keep their times even if the file has
// another one by then.
func (u *upload) resume() string {
	words := []string{"kubectl", "joberrors", "report", u.job.ID, "-n", u.job.Namespace, "--file", u.file,
		"--from-line", strconv.Itoa(u.next), "--created-at", u.base.UTC().Format(time.RFC3339Nano)}
	if u.refusedFile != "" {
		words = append(words, "--refused", u.refusedFile)
	}
	if u.dryRun.server() {
		words = append(words, "--dry-run=server")
	}
	return u.hint(words...)
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
