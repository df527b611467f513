// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// lines generates rows as they are read, so that the test does not hold them.
type lines struct {
	next  atomic.Int64
	total int64
	rest  string
}

// Read returns a part of the next row, or an error after the last one.
func (l *lines) Read(p []byte) (int, error) {
	if l.rest == "" {
		if l.next.Load() == l.total {
			return 0, errors.New("no more rows")
		}
		l.rest = fmt.Sprintf("{\"code\":\"bad_date\",\"message\":\"row %d\"}\n", l.next.Add(1))
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func TestReportStreams(t *testing.T) {
	t.Parallel()
	const total = 100_000
	var stored, requests, ahead int
	in := &lines{total: total}
	times := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var records []resolvev1.Record
		if err := json.NewDecoder(r.Body).Decode(&records); err != nil {
			t.Error(err)
		}
		for _, record := range records {
			times[record.CreatedAt] = true
		}
		requests++
		stored += len(records)
		// The reader runs ahead by its buffer and one row.
		ahead = max(ahead, int(in.next.Load())-stored)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		if err := json.NewEncoder(w).Encode(records); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(server.Close)
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	streams.In = in
	// The input breaks after the last row: all rows before must be stored.
	code := Run(t.Context(), strings.Fields("report load --file=- -n team --server="+server.URL), streams)
	if code != exitFailed || !strings.Contains(errOut.String(), "no more rows") || !strings.Contains(errOut.String(), "--from-line 100001 ") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out, errOut)
	}
	if stored != total || requests != total/1000 || len(times) != total {
		t.Errorf("%d rows in %d requests with %d times, want %d in %d", stored, requests, len(times), total, total/1000)
	}
	if ahead > 5_000 {
		t.Errorf("%d rows were read ahead", ahead)
	}
}

func TestReportThatIsRejectedDoesNotAskToGoOn(t *testing.T) {
	t.Parallel()
	for code, goesOn := range map[int]bool{http.StatusForbidden: false, http.StatusNotFound: false, http.StatusConflict: true} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			reason := map[int]metav1.StatusReason{http.StatusForbidden: metav1.StatusReasonForbidden, http.StatusNotFound: metav1.StatusReasonNotFound}[code]
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(code)
			status := metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: "not here", Details: &metav1.StatusDetails{Name: "load", Group: "resolve.joberror.io", Kind: "jobs"}}
			if err := json.NewEncoder(w).Encode(status); err != nil {
				t.Error(err)
			}
		}))
		streams, in, out, errOut := genericiooptions.NewTestIOStreams()
		in.WriteString("{}")
		exit := Run(t.Context(), strings.Fields("report load --file=- -n team --dry-run=server --server="+server.URL), streams)
		server.Close()
		text := errOut.String()
		if exit != exitFailed || out.Len() > 0 || !strings.Contains(text, "not here") || strings.Contains(text, "To go on") != goesOn {
			t.Errorf("%d: exit code %d, stdout %q, stderr %q; a hint: want %t", code, exit, out, text, goesOn)
		}
		if goesOn && !strings.Contains(text, "--dry-run=server --server="+server.URL+"\n") {
			t.Errorf("%d: the hint is no dry run: %q", code, text)
		}
	}
}
