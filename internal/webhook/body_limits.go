// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"golang.org/x/sync/semaphore"
)

// Limits of the bodies.
const (
	// maxBodyBytes leaves room for the longest valid record and its annotations, twice as an
	// update sends it, even if JSON escapes each character.
	maxBodyBytes = 4 << 20
	// maxValues limits the values in a body. An empty value takes up to a thousand times its
	// size: a body of 3 MiB took 3 GiB. The largest valid request has some 4,000 values.
	maxValues = 10_000
	// maxBytesInFlight limits the bodies of all requests together.
	maxBytesInFlight = 16 << 20
	// minBytes is what a request counts at least.
	minBytes = 16 << 10
	// maxDecoding limits the requests that are decoded at the same time; others wait.
	maxDecoding = 2
)

// bodyLimits refuses requests whose bodies would take up too much memory. The API server
// treats a refusal as it treats a webhook that is down.
type bodyLimits struct {
	next     http.Handler
	bytes    *semaphore.Weighted
	decoding *semaphore.Weighted
}

func newBodyLimits(next http.Handler) *bodyLimits {
	return &bodyLimits{next: next, bytes: semaphore.NewWeighted(maxBytesInFlight), decoding: semaphore.NewWeighted(maxDecoding)}
}

// ServeHTTP reads the body within the limits and serves the request.
func (l *bodyLimits) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength < 0 {
		refuse(w, http.StatusLengthRequired, "the request must state the length of its body")
		return
	}
	if r.ContentLength > maxBodyBytes {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body may have at most %d bytes", maxBodyBytes))
		return
	}
	size := max(r.ContentLength, minBytes)
	if !l.bytes.TryAcquire(size) {
		refuse(w, http.StatusServiceUnavailable, "too many requests at the same time")
		return
	}
	defer l.bytes.Release(size)
	body := make([]byte, r.ContentLength)
	if _, err := io.ReadFull(r.Body, body); err != nil {
		refuse(w, http.StatusBadRequest, "the body could not be read: "+err.Error())
		return
	}
	if countValues(body) > maxValues {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body may have at most %d values", maxValues))
		return
	}
	if err := l.decoding.Acquire(r.Context(), 1); err != nil {
		refuse(w, http.StatusServiceUnavailable, "too many requests at the same time")
		return
	}
	defer l.decoding.Release(1)
	r.Body = io.NopCloser(bytes.NewReader(body))
	l.next.ServeHTTP(w, r)
}

// refuse answers with a status code and counts the refusal.
func refuse(w http.ResponseWriter, code int, message string) {
	refused.WithLabelValues(strconv.Itoa(code)).Inc()
	http.Error(w, message, code)
}

// countValues returns how many values a JSON text has at most. It does not check the text.
func countValues(text []byte) int {
	values, inString := 1, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case !inString && (c == ',' || c == '{' || c == '['):
			values++
		}
	}
	return values
}
