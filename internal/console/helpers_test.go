// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

// apiServer plays the API server, and keeps the last request.
type apiServer struct {
	*httptest.Server
	last *http.Request
	body string
}

func newAPIServer(t *testing.T) *apiServer {
	t.Helper()
	api := &apiServer{}
	api.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return // the console has ended a request whose body is too large
		}
		api.last, api.body = r, string(data)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Set-Cookie", "of=api-server")
		w.Header().Set("Access-Control-Allow-Origin", "*")
		fmt.Fprint(w, `{"kind":"JobErrorList"}`)
	}))
	t.Cleanup(api.Close)
	return api
}

// listen starts a console in front of an API server, until the test ends.
func listen(t *testing.T, config *rest.Config) *Console {
	t.Helper()
	c, err := Listen(t.Context(), Config{REST: config, Context: "test", Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return c
}

// An option changes a request.
type option func(*http.Request)

func header(name, value string) option {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func host(name string) option { return func(r *http.Request) { r.Host = name } }

// at replaces the path with the prefix.
func at(path string) option { return func(r *http.Request) { r.URL.Opaque = path } }

func body(text string) option {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
	}
}

func noCookie(r *http.Request) { r.Header.Del("Cookie") }

// answer is the answer to a request, whose body has been read.
type answer struct {
	StatusCode int
	Header     http.Header
	cookies    []*http.Cookie
}

// do sends a request with the session's cookie to a path after the prefix. The path is sent as it is
// written. A request with a body is what the page would send.
func (c *Console) do(t *testing.T, method, path, body string, options ...option) (answer, string) {
	t.Helper()
	origin := "http://127.0.0.1:" + c.port
	request, err := http.NewRequestWithContext(t.Context(), method, origin, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.URL.Opaque, request.URL.RawQuery, _ = strings.Cut("/"+c.session.prefix+path, "?")
	request.AddCookie(&http.Cookie{Name: cookieName, Value: c.session.cookie})
	if method != http.MethodGet {
		request.Header.Set("Origin", origin)
		request.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPatch {
		request.Header.Set("Content-Type", "application/merge-patch+json")
	}
	for _, o := range options {
		o(request)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	// A server that refuses a request may end the connection before it has read the request.
	if err != nil && !response.Close {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, response.Cookies()}, string(data)
}
