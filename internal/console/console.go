// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package console serves the console in the browser: static files, and a few paths of the
// user's API server, with the user's own kubeconfig.
//
// Everything that keeps other people, other sites and other programs out is in a list of small
// rules; see guards.go and paths.go.
package console

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/netutil"
	"k8s.io/client-go/rest"
)

// Limits of the server.
const (
	// maxConnections limits the connections. A browser opens at most six.
	maxConnections = 64
	// maxHeader limits the bytes of a request's header.
	maxHeader = 32 << 10
	// maxBody limits the bytes of a request's body. Resolving 1,000 errors, the most that one
	// request may name, takes 254 KB.
	maxBody = 512 << 10
	// headerTimeout limits how long a client may take to send a header, and requestTimeout how
	// long a request may take that is not a watch. A resolve answers within half a minute.
	headerTimeout  = 10 * time.Second
	requestTimeout = time.Minute
	// watchTimeout limits how long a watch may take. The page starts another one.
	watchTimeout = 10 * time.Minute
	idleTimeout  = 2 * time.Minute
	// stopTimeout limits how long requests may take to end after the console was stopped.
	stopTimeout = 2 * time.Second
)

// Config says what the console shows.
type Config struct {
	// REST is the user's own configuration of the API server.
	REST *rest.Config
	// Port is the port to listen on; 0 picks a free one.
	Port int
	// Context, Namespace and Version are shown on the page.
	Context, Namespace, Version string
}

// Console is a console that listens.
type Console struct {
	listener net.Listener
	handler  http.Handler
	port     string
	session  *session
}

// Listen starts to listen on loopback.
func Listen(ctx context.Context, config Config) (*Console, error) {
	var listen net.ListenConfig
	listener, err := listen.Listen(ctx, "tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(config.Port)))
	if err != nil {
		return nil, fmt.Errorf("listen on loopback: %w", err)
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read the console's address: %w", err), listener.Close())
	}
	c := &Console{listener: netutil.LimitListener(listener, maxConnections), port: port, session: newSession()}
	if c.handler, err = c.newHandler(config); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return c, nil
}

// newHandler puts the guards before the pages and the API server.
func (c *Console) newHandler(config Config) (http.Handler, error) {
	proxy, err := newProxy(config.REST)
	if err != nil {
		return nil, err
	}
	pages, err := newPages(config)
	if err != nil {
		return nil, err
	}
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAPI(r.URL.Path) {
			proxy.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
	return withHeaders(c.session.withoutPrefix(c.guard(c.session.exchange(answer)))), nil
}

// URL returns the address of the console with the secret that opens it once.
func (c *Console) URL() string {
	return "http://127.0.0.1:" + c.port + "/?" + secretParameter + "=" + c.session.secret
}

// Serve serves until ctx is canceled.
func (c *Console) Serve(ctx context.Context) error {
	// Canceling base ends the watches, which would otherwise delay the end of the server.
	base, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := &http.Server{
		Handler:           c.handler,
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
	}
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		cancel()
		shutdown, done := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer done()
		err := server.Shutdown(shutdown)
		if errors.Is(err, context.DeadlineExceeded) {
			err = server.Close()
		}
		stopped <- err
	}()
	if err := server.Serve(c.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve the console: %w", err)
	}
	return <-stopped
}

// randomText returns 256 random bits as text that may stand in a URL.
func randomText() string {
	data := make([]byte, 32)
	rand.Read(data) // never fails: it ends the program instead
	return base64.RawURLEncoding.EncodeToString(data)
}
