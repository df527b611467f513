// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"testing"
	"time"
)

func TestContextEndsAfterTheDrainPeriod(t *testing.T) {
	t.Parallel()
	ctx, signal := context.WithCancel(t.Context())
	drain, stop := NewDrain(ctx, 50*time.Millisecond)
	select {
	case <-stop.Done():
		t.Fatal("the context ended without a signal")
	default:
	}
	signal()
	<-drain.started
	if stop.Err() != nil {
		t.Error("the context ended when the drain started, want it to end after the period")
	}
	<-stop.Done()
}

// HTTP/1.1 closes the connection with a header, HTTP/2 with a GOAWAY frame.
func TestCallersReconnectWhileDraining(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			ctx, signal := context.WithCancel(t.Context())
			drain, _ := NewDrain(ctx, time.Hour)
			server := httptest.NewUnstartedServer(drain.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
			server.EnableHTTP2 = version == "HTTP/2.0"
			server.StartTLS()
			t.Cleanup(server.Close)
			if reused(t, server, version) {
				t.Error("the first request reused a connection")
			}
			for range 3 {
				if !reused(t, server, version) {
					t.Error("a request before the drain opened a new connection")
				}
			}
			signal()
			<-drain.started
			reused(t, server, version)
			for range 3 {
				if reused(t, server, version) {
					t.Error("a request during the drain reused a connection")
				}
			}
		})
	}
}

// reused sends a request and reports whether it reused a connection.
func reused(t *testing.T, server *httptest.Server, version string) bool {
	t.Helper()
	connReused := false
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { connReused = info.Reused }})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.Proto != version || response.StatusCode != http.StatusOK {
		t.Errorf("response = %s %s, want %s 200 OK", response.Proto, response.Status, version)
	}
	return connReused
}
