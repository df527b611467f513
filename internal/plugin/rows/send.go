// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

const (
	// maxAttempts limits the attempts to send rows to a server that fails.
	maxAttempts = 6
	// maxDelay limits the delay between two attempts if the server does not name one.
	maxDelay = 15 * time.Second
)

// Sender sends rows until each of them is stored or refused. Rows may reach the server twice,
// so each needs a createdAt.
type Sender struct {
	// Post sends an array of rows.
	Post func(ctx context.Context, body []byte) ([]resolvev1.ReportedRecord, error)
	// Refused takes a row that the server refuses, with the code of the answer.
	Refused func(row Row, code int32, reason string) error
	// Wait waits before the rows are sent again. It returns an error once ctx is done.
	Wait func(ctx context.Context, delay time.Duration, why string) error
}

// Send sends rows. It returns an error if it gives up, and then some rows may be stored.
func (s *Sender) Send(ctx context.Context, rows []Row) error {
	// failures counts the last answers of one kind: from a server that is full, or from one that fails.
	failures, wasFull := 0, false
	for len(rows) > 0 {
		results, err := s.Post(ctx, body(rows))
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var again []Row
		var why error
		var sendErr error
		switch {
		case err == nil && len(results) == len(rows):
			again, why, sendErr = s.sort(rows, results)
		case err == nil:
			return fmt.Errorf("the answer has %d records for %d rows", len(results), len(rows))
		case isRefusal(err):
			again, sendErr = s.withoutRefused(ctx, rows, err)
		case isTransient(err):
			again, why = rows, err
		default:
			return err
		}
		if sendErr != nil {
			return sendErr
		}
		if len(again) < len(rows) {
			failures = 0
		}
		if rows = again; why == nil || len(rows) == 0 {
			continue
		}
		isFull := apierrors.IsTooManyRequests(why)
		if isFull != wasFull {
			failures, wasFull = 0, isFull
		}
		delay := delayAfter(failures, why)
		// A server that is full works, and says when it has room. Others are given up.
		if failures++; failures >= maxAttempts && !isFull {
			return fmt.Errorf("gave up after %d attempts: %w", failures, why)
		}
		if err := s.Wait(ctx, delay, why.Error()); err != nil {
			return err
		}
	}
	return nil
}

// delayAfter returns how long to wait after a number of failures in a row and one more.
func delayAfter(failures int, why error) time.Duration {
	if seconds, named := apierrors.SuggestsClientDelay(why); named {
		return time.Duration(max(seconds, 1)) * time.Second
	}
	return min(time.Second<<min(failures, maxAttempts), maxDelay)
}

// sort passes on the rows that the server refused one by one, and returns those to send again
// and why.
func (s *Sender) sort(rows []Row, results []resolvev1.ReportedRecord) (again []Row, why, err error) {
	for i, result := range results {
		switch problem := result.Error; {
		case problem == nil:
		case problem.Code == http.StatusTooManyRequests || problem.Code >= http.StatusInternalServerError:
			again, why = append(again, rows[i]), fmt.Errorf("row %d was not stored: %s", rows[i].Number, problem.Message)
		default:
			if err := s.Refused(rows[i], problem.Code, problem.Message); err != nil {
				return nil, nil, err
			}
		}
	}
	return again, why, nil
}

// withoutRefused passes on the rows because of which the server refused all of them, and
// returns the others. If the answer does not name rows, it sends each half alone.
func (s *Sender) withoutRefused(ctx context.Context, rows []Row, refusal error) ([]Row, error) {
	code, reasons := reasonsOf(refusal, len(rows))
	switch {
	case len(reasons) > 0:
		var others []Row
		for i, row := range rows {
			if reasons[i] == nil {
				others = append(others, row)
			} else if err := s.Refused(row, code, strings.Join(reasons[i], "; ")); err != nil {
				return nil, err
			}
		}
		return others, nil
	case len(rows) == 1:
		return nil, s.Refused(rows[0], code, refusal.Error())
	}
	half := len(rows) / 2
	if err := s.Send(ctx, rows[:half]); err != nil {
		return nil, err
	}
	return nil, s.Send(ctx, rows[half:])
}

// reasonsOf returns the code of a refusal and its reasons by the index of the row in the
// request.
func reasonsOf(refusal error, rows int) (code int32, reasons map[int][]string) {
	var answer apierrors.APIStatus
	if !errors.As(refusal, &answer) {
		return 0, nil
	}
	status := answer.Status()
	reasons = map[int][]string{}
	if status.Details != nil {
		for _, cause := range status.Details.Causes {
			if i, field, ok := rowIn(cause.Field); ok && i < rows {
				reasons[i] = append(reasons[i], strings.TrimPrefix(field+": ", ": ")+cause.Message)
			}
		}
	}
	return status.Code, reasons
}

// rowIn splits the path of a field, such as body[3].createdAt.
func rowIn(path string) (index int, field string, ok bool) {
	rest, ok := strings.CutPrefix(path, "body[")
	if !ok {
		return 0, "", false
	}
	number, field, ok := strings.Cut(rest, "]")
	index, err := strconv.Atoi(number)
	return index, strings.TrimPrefix(field, "."), ok && err == nil && index >= 0
}

// isRefusal reports whether the server refused the rows because of what they are.
func isRefusal(err error) bool {
	return apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsRequestEntityTooLargeError(err)
}

// isTransient reports whether the same request may succeed later. An error without a status
// comes from the connection.
func isTransient(err error) bool {
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) {
		return true
	}
	code := answer.Status().Code
	return code == http.StatusTooManyRequests || code >= http.StatusInternalServerError
}
