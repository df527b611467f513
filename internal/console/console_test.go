// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"k8s.io/client-go/rest"
)

func TestListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	c := listen(t, &rest.Config{Host: "https://api.example"})
	if address := c.listener.Addr().(*net.TCPAddr); !address.IP.IsLoopback() {
		t.Errorf("the console listens on %s", address)
	}
	port, err := strconv.Atoi(c.port)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(t.Context(), Config{REST: &rest.Config{}, Port: port}); err == nil || !strings.Contains(err.Error(), "listen on loopback") {
		t.Errorf("a second console on the port: error = %v", err)
	}
}

func TestStopsDuringAWatch(t *testing.T) {
	t.Parallel()
	started := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		close(started)
		<-r.Context().Done()
	}))
	t.Cleanup(api.Close)
	c, err := Listen(t.Context(), Config{REST: &rest.Config{Host: api.URL}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Serve(ctx) }()
	request, err := http.NewRequestWithContext(t.Context(), "GET", "http://127.0.0.1:"+c.port+"/"+c.session.prefix+listPath+"?watch=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.AddCookie(&http.Cookie{Name: cookieName, Value: c.session.cookie})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	<-started
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("Serve = %v", err)
	}
}
