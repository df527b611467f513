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
	const total = 20_000
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
	if code != exitFailed || !strings.Contains(errOut.String(), "no more rows") || !strings.Contains(errOut.String(), "--from-line 20001 ") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, out, errOut)
	}
	if stored != total || requests != total/1000 || len(times) != total {
		t.Errorf("%d rows in %d requests with %d times, want %d in %d", stored, requests, len(times), total, total/1000)
	}
	if ahead > 5_000 {
		t.Errorf("%d rows were read ahead", ahead)
	}
}
