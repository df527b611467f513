// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package rows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// server stores rows, and refuses those with the code "bad" as the operator does: all rows of
// the request, with at most two problems.
type server struct {
	stored []string
	// answers holds what the next requests get instead.
	answers  []error
	requests int
	// blunt refuses without naming rows.
	blunt bool
}

func (s *server) post(_ context.Context, body []byte) ([]resolvev1.ReportedRecord, error) {
	s.requests++
	if len(s.answers) > 0 {
		err := s.answers[0]
		s.answers = s.answers[1:]
		return nil, err
	}
	var records []resolvev1.Record
	if err := json.Unmarshal(body, &records); err != nil {
		return nil, err
	}
	var problems field.ErrorList
	results := make([]resolvev1.ReportedRecord, len(records))
	for i, r := range records {
		results[i].Record = r
		switch r.Code {
		case "bad":
			problems = append(problems, field.Invalid(field.NewPath("body").Index(i).Child("code"), r.Code, "must be good"))
		case "taken":
			results[i].Error = &resolvev1.RecordError{Code: 409, Message: "is taken"}
		}
	}
	switch {
	case len(problems) > 0 && s.blunt:
		return nil, apierrors.NewBadRequest("cannot read the body")
	case len(problems) > 0:
		return nil, apierrors.NewInvalid(schema.GroupKind{Kind: "Request"}, "", problems[:min(2, len(problems))])
	}
	for i, r := range records {
		if results[i].Error == nil {
			s.stored = append(s.stored, r.Message)
		}
	}
	return results, nil
}

// send sends one row for each code, and returns the refused rows and the waits.
func send(s *server, codes ...string) (refused, waits []string, err error) {
	var rows []Row
	for i, code := range codes {
		rows = append(rows, Row{Number: i + 1, JSON: fmt.Appendf(nil, `{"code":%q,"message":"%d"}`, code, i+1)})
	}
	sender := Sender{
		Post: s.post,
		Refused: func(row Row, code int32, reason string) error {
			refused = append(refused, fmt.Sprintf("%d: %d %s", row.Number, code, reason))
			return nil
		},
		Wait: func(_ context.Context, delay time.Duration, _ string) error {
			waits = append(waits, delay.String())
			return nil
		},
	}
	return refused, waits, sender.Send(context.Background(), rows)
}

func TestSend(t *testing.T) {
	t.Parallel()
	full := apierrors.NewTooManyRequests("full", 7)
	down := apierrors.NewServiceUnavailable("down")
	broken := errors.New("connection reset")
	bad := `422 code: Invalid value: "bad": must be good`
	for name, tc := range map[string]struct {
		server                *server
		codes                 []string
		stored, refused, wait []string
		requests              int
		err                   string
	}{
		"all stored":         {server: &server{}, codes: []string{"a", "b"}, stored: []string{"1", "2"}, requests: 1},
		"nothing":            {server: &server{}},
		"some are refused":   {server: &server{}, codes: []string{"bad", "b", "bad", "bad", "e"}, stored: []string{"2", "5"}, refused: []string{"1: " + bad, "3: " + bad, "4: " + bad}, requests: 3},
		"all are refused":    {server: &server{}, codes: []string{"bad", "bad"}, refused: []string{"1: " + bad, "2: " + bad}, requests: 1},
		"one is taken":       {server: &server{}, codes: []string{"a", "taken"}, stored: []string{"1"}, refused: []string{"2: 409 is taken"}, requests: 1},
		"no row is named":    {server: &server{blunt: true}, codes: []string{"a", "b", "bad", "d"}, stored: []string{"1", "2", "4"}, refused: []string{"3: 400 cannot read the body"}, requests: 5},
		"the server is full": {server: &server{answers: slices.Repeat([]error{full}, 20)}, codes: []string{"a"}, stored: []string{"1"}, wait: slices.Repeat([]string{"7s"}, 20), requests: 21},
		"the server is full and names no time": {server: &server{answers: slices.Repeat([]error{apierrors.NewTooManyRequests("full", 0)}, 7)}, codes: []string{"a"}, stored: []string{"1"},
			wait: []string{"1s", "2s", "4s", "8s", "15s", "15s", "15s"}, requests: 8},
		"a short failure": {server: &server{answers: []error{down, broken}}, codes: []string{"a"}, stored: []string{"1"}, wait: []string{"1s", "2s"}, requests: 3},
		"a long failure": {server: &server{answers: slices.Repeat([]error{down}, 20)}, codes: []string{"a"}, wait: []string{"1s", "2s", "4s", "8s", "15s"}, requests: maxAttempts,
			err: "gave up after 6 attempts: down"},
		"full for long, then a short failure": {server: &server{answers: append(slices.Repeat([]error{full}, 6), down, broken)}, codes: []string{"a"}, stored: []string{"1"},
			wait: append(slices.Repeat([]string{"7s"}, 6), "1s", "2s"), requests: 9},
		"no rights": {server: &server{answers: []error{apierrors.NewForbidden(schema.GroupResource{Resource: "jobs"}, "load", errors.New("no"))}}, codes: []string{"a"}, requests: 1, err: "forbidden"},
	} {
		refused, waits, err := send(tc.server, tc.codes...)
		if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
			t.Errorf("%s: error = %v, want %q", name, err, tc.err)
		}
		if !slices.Equal(tc.server.stored, tc.stored) || !slices.Equal(refused, tc.refused) || !slices.Equal(waits, tc.wait) || tc.server.requests != tc.requests {
			t.Errorf("%s: stored %q, refused %q, waited %q, %d requests; want %q, %q, %q, %d", name,
				tc.server.stored, refused, waits, tc.server.requests, tc.stored, tc.refused, tc.wait, tc.requests)
		}
	}
}

func TestSendStopsWhenItIsCanceled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	sender := Sender{Post: func(context.Context, []byte) ([]resolvev1.ReportedRecord, error) {
		cancel()
		return nil, errors.New("canceled")
	}}
	if err := sender.Send(ctx, []Row{{Number: 1, JSON: []byte("{}")}}); !errors.Is(err, context.Canceled) {
		t.Errorf("Send = %v, want that it was canceled", err)
	}
}

func TestBatchLimits(t *testing.T) {
	t.Parallel()
	small, large := Row{JSON: []byte("{}")}, Row{JSON: make([]byte, maxRow)}
	for name, tc := range map[string]struct {
		row  Row
		want int
	}{"rows": {small, 1000}, "bytes": {large, 1}} {
		var b Batch
		for b.Fits(tc.row) {
			b.Add(tc.row)
		}
		if len(b.Rows) != tc.want {
			t.Errorf("%s: a batch holds %d rows, want %d", name, len(b.Rows), tc.want)
		}
	}
	if got := string(body([]Row{{JSON: []byte(`{"a":1}`)}, {JSON: []byte("{}")}})); got != `[{"a":1},{}]` {
		t.Errorf("body = %s", got)
	}
}
