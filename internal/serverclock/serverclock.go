// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package serverclock compares the clock of this machine with the API server's. Every HTTP
// response has the server's time in the header Date, to the second, so the comparison costs
// no request: the leader renews its Lease every two seconds. The same clock sets the
// creationTimestamp that retention starts from.
package serverclock

import (
	"net/http"
	"sync/atomic"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/utils/clock"
)

// Comparison holds the times on both clocks at the last response of the API server.
type Comparison struct {
	clock clock.PassiveClock
	last  atomic.Pointer[reading]
}

// reading holds the times on both clocks at the same moment.
type reading struct{ server, local time.Time }

// New returns a Comparison with this clock.
func New(c clock.PassiveClock) *Comparison { return &Comparison{clock: c} }

// Ahead returns how far the clock of this machine is ahead of the API server's. It is
// negative if the clock is behind, and 0 before the first response.
func (c *Comparison) Ahead() time.Duration {
	last := c.last.Load()
	if last == nil {
		return 0
	}
	now := c.clock.Now()
	// The time since the response is monotonic. The clock may have been set since then.
	serverNow := last.server.Add(now.Sub(last.local))
	return now.Round(0).Sub(serverNow)
}

// Wrap returns a transport that reads the time in each response.
func (c *Comparison) Wrap(next http.RoundTripper) http.RoundTripper {
	return &transport{RoundTripper: next, comparison: c}
}

type transport struct {
	http.RoundTripper
	comparison *Comparison
}

var _ utilnet.RoundTripperWrapper = &transport{}

// WrappedRoundTripper returns the transport that makes the requests.
func (t *transport) WrappedRoundTripper() http.RoundTripper { return t.RoundTripper }

// RoundTrip makes a request and reads the time in its response.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := t.RoundTripper.RoundTrip(request)
	if err != nil {
		return response, err
	}
	if at, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		t.comparison.last.Store(&reading{server: at, local: t.comparison.clock.Now()})
	}
	return response, nil
}
