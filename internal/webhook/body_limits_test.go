// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

// echo answers with the body of the request.
var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })

// send serves a request and returns the response. A length of -1 means unknown.
func send(ctx context.Context, handler http.Handler, body io.Reader, length int64) *httptest.ResponseRecorder {
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", body)
	request.ContentLength = length
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder
}

func TestBodiesAreLimited(t *testing.T) {
	t.Parallel()
	full := strings.Repeat(" ", maxBodyBytes)
	for name, tc := range map[string]struct {
		body   string
		length int64
		want   int
	}{
		"no body":         {"", 0, http.StatusOK},
		"a small body":    {`{"a":1}`, 7, http.StatusOK},
		"the most bytes":  {full, maxBodyBytes, http.StatusOK},
		"too many bytes":  {full + " ", maxBodyBytes + 1, http.StatusRequestEntityTooLarge},
		"no length":       {"{}", -1, http.StatusLengthRequired},
		"half a body":     {"{", 2, http.StatusBadRequest},
		"the most values": {strings.Repeat(",", maxValues-1), maxValues - 1, http.StatusOK},
		"too many values": {strings.Repeat(",", maxValues), maxValues, http.StatusRequestEntityTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := send(t.Context(), newBodyLimits(echo), strings.NewReader(tc.body), tc.length)
			if got.Code != tc.want {
				t.Fatalf("status = %d, want %d: %.100s", got.Code, tc.want, got.Body)
			}
			if got.Code == http.StatusOK && got.Body.String() != tc.body {
				t.Error("the webhook did not read the whole body")
			}
		})
	}
}

// Values in strings are not counted, or a long message could not be stored.
func TestValuesAreCounted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		"":                    1,
		`{}`:                  2,
		`[{},{},{}]`:          7,
		`{"a":1,"b":[2,3]}`:   5,
		`"a,b,{[,"`:           1,
		`"\",,,"`:             1,
		`["\\",1]`:            3,
		`"unfinished \`:       1,
		`{"a":"x,y","b":"{"}`: 3,
	} {
		if got := countValues([]byte(text)); got != want {
			t.Errorf("values in %s = %d, want %d", text, got, want)
		}
	}
}

// inFlight is a request whose body does not end until the test ends it.
type inFlight struct {
	end  *io.PipeWriter
	code chan int
}

// begin sends the first byte of a body of the largest size.
func begin(t *testing.T, handler http.Handler) inFlight {
	t.Helper()
	body, end := io.Pipe()
	request := inFlight{end: end, code: make(chan int, 1)}
	go func() { request.code <- send(t.Context(), handler, body, maxBodyBytes).Code }()
	// The write returns once the handler has read the byte.
	if _, err := end.Write([]byte("{")); err != nil {
		t.Error(err)
	}
	return request
}

func TestBodiesInFlightAreLimitedTogether(t *testing.T) {
	t.Parallel()
	limits := newBodyLimits(echo)
	var requests []inFlight
	for range maxBytesInFlight / maxBodyBytes {
		requests = append(requests, begin(t, limits))
	}
	if got := send(t.Context(), limits, strings.NewReader("{}"), 2); got.Code != http.StatusServiceUnavailable {
		t.Errorf("status over the limit = %d, want 503", got.Code)
	}
	for _, request := range requests {
		request.end.Close()
		if code := <-request.code; code != http.StatusBadRequest {
			t.Errorf("status of half a body = %d, want 400", code)
		}
	}
	if got := send(t.Context(), limits, strings.NewReader("{}"), 2); got.Code != http.StatusOK {
		t.Errorf("status afterwards = %d, want 200", got.Code)
	}
}

func TestFewRequestsAreDecodedAtTheSameTime(t *testing.T) {
	t.Parallel()
	entered, leave := make(chan struct{}), make(chan struct{})
	limits := newBodyLimits(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		entered <- struct{}{}
		<-leave
	}))
	codes := make(chan int)
	request := func(ctx context.Context) { codes <- send(ctx, limits, strings.NewReader("{}"), 2).Code }
	for range maxDecoding {
		go request(t.Context())
		<-entered
	}
	canceled, cancel := context.WithCancel(t.Context())
	go request(canceled)
	cancel()
	if code := <-codes; code != http.StatusServiceUnavailable {
		t.Errorf("status of a request that gave up waiting = %d, want 503", code)
	}
	go request(t.Context())
	leave <- struct{}{}
	<-entered
	close(leave)
	for range maxDecoding + 1 {
		if code := <-codes; code != http.StatusOK {
			t.Errorf("status = %d, want 200", code)
		}
	}
}

func TestMetricsFollowTheConventions(t *testing.T) {
	t.Parallel()
	refused.WithLabelValues("413")
	problems, err := testutil.CollectAndLint(refused)
	if err != nil || len(problems) > 0 || testutil.CollectAndCount(refused) == 0 {
		t.Errorf("problems = %v, %v", problems, err)
	}
}
