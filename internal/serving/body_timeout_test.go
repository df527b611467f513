// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package serving

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// bodyReader starts a server that reads each body to its end. The channel receives the
// result of the read.
func bodyReader(t *testing.T, timeout time.Duration) (*httptest.Server, chan error) {
	t.Helper()
	read := make(chan error, 1)
	server := httptest.NewUnstartedServer(BodyTimeout(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		read <- err
	}), timeout))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	return server, read
}

// post sends a body with the given version of HTTP.
func post(t *testing.T, server *httptest.Server, version string, body io.Reader) error {
	t.Helper()
	client := server.Client()
	transport := client.Transport.(*http.Transport)
	transport.ForceAttemptHTTP2 = version == "HTTP/2.0"
	if version == "HTTP/1.1" {
		transport.TLSClientConfig.NextProtos = []string{"http/1.1"}
		transport.Protocols = &http.Protocols{}
		transport.Protocols.SetHTTP1(true)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err == nil {
		defer response.Body.Close()
		if response.Proto != version {
			t.Errorf("Proto = %s, want %s", response.Proto, version)
		}
	}
	return err
}

// The body of the request never ends. Without a timeout, the test would not end either.
func TestASlowBodyTimesOut(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server, read := bodyReader(t, 50*time.Millisecond)
			never, end := io.Pipe()
			t.Cleanup(func() { end.Close() })
			go func() { _, _ = end.Write([]byte("{")) }()
			// The client's result depends on what it is doing at that moment.
			_ = post(t, server, version, never)
			if err := <-read; err == nil {
				t.Error("the read of an unfinished body succeeded, want an error")
			}
		})
	}
}

func TestABodyThatArrivesInTimeIsRead(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			server, read := bodyReader(t, time.Minute)
			for range 3 {
				if err := post(t, server, version, strings.NewReader("{}")); err != nil {
					t.Fatal(err)
				}
				if err := <-read; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A connection serves many requests. The deadline of one must not affect the next.
func TestADeadlineEndsWithItsRequest(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			const timeout = 500 * time.Millisecond
			server, read := bodyReader(t, timeout)
			for range 3 {
				if err := post(t, server, version, strings.NewReader("{}")); err != nil {
					t.Fatal(err)
				}
				if err := <-read; err != nil {
					t.Error(err)
				}
				time.Sleep(2 * timeout)
			}
		})
	}
}
