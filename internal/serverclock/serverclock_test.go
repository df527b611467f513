// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package serverclock

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"
)

// respond makes the comparison see a response with this header Date.
func respond(t *testing.T, c *Comparison, date string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if date != "" {
			w.Header().Set("Date", date)
		}
	}))
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := c.Wrap(http.DefaultTransport).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAhead(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 5, 10, 15, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		date string
		want time.Duration
	}{
		"equal":                   {now.Format(http.TimeFormat), 0},
		"ahead":                   {now.Add(-time.Hour).Format(http.TimeFormat), time.Hour},
		"behind":                  {now.Add(time.Hour).Format(http.TimeFormat), -time.Hour},
		"a Date that is not time": {"noon", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			local := testingclock.NewFakePassiveClock(now)
			c := New(local)
			if got := c.Ahead(); got != 0 {
				t.Errorf("Ahead before the first response = %s, want 0", got)
			}
			respond(t, c, tc.date)
			local.SetTime(now.Add(time.Minute))
			if got := c.Ahead(); got != tc.want {
				t.Errorf("Ahead a minute later = %s, want %s", got, tc.want)
			}
		})
	}
}

// A server of the same machine has the same clock.
func TestEveryResponseHasTheTime(t *testing.T) {
	t.Parallel()
	c := New(clock.RealClock{})
	respond(t, c, "")
	if c.last.Load() == nil || c.Ahead().Abs() > time.Minute {
		t.Errorf("last = %v, Ahead = %s, want the clocks to agree", c.last.Load(), c.Ahead())
	}
}
