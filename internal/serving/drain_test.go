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
	drain, end := NewDrain(ctx, 50*time.Millisecond)
	select {
	case <-end.Done():
		t.Fatal("it ends without a signal")
	default:
	}
	signal()
	<-drain.started
	if end.Err() != nil {
		t.Error("it ends with the notice")
	}
	<-end.Done()
}

// Each version has its way to say it.
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
				t.Error("the first request found a connection")
			}
			for range 3 {
				if !reused(t, server, version) {
					t.Error("a request did not go over the connection before notice was given")
				}
			}
			signal()
			<-drain.started
			reused(t, server, version)
			for range 3 {
				if reused(t, server, version) {
					t.Error("a request went over an old connection after notice was given")
				}
			}
		})
	}
}

// reused sends a request and tells whether it went over a connection that was
// there.
func reused(t *testing.T, server *httptest.Server, version string) bool {
	t.Helper()
	found := false
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) { found = info.Reused }})
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
		t.Errorf("answered %s %s", response.Proto, response.Status)
	}
	return found
}
