// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"golang.org/x/net/netutil"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"joberror.io/operator/internal/certs"
	"joberror.io/operator/internal/serving"
)

// Limits of the connections. Together with the limits of the bodies, they bound the memory
// that clients can take up. An API server sends all its requests over a few connections.
const (
	maxConnections = 64
	maxStreams     = 64
	maxHeaderBytes = 16 << 10
	// maxUnread limits the received bytes of a connection that no handler has read yet.
	maxUnread = 256 << 10
)

// Timeouts of a request. The API server waits 2 seconds for a response.
const (
	headerTimeout   = 5 * time.Second
	bodyTimeout     = 5 * time.Second
	responseTimeout = 10 * time.Second
	idleTimeout     = 90 * time.Second
	shutdownTimeout = time.Minute
)

// ServerOptions configures the webhook server.
type ServerOptions struct {
	Host string
	Port int
	// ClientCAFile holds the CAs that sign the certificates of clients. If it is empty, any
	// client that reaches the port may send requests.
	ClientCAFile string
	Certificate  *certs.Certificate
	Drain        serving.Drain
}

// server is a webhook server that limits its clients. Its library offers no limits, and
// authenticates clients only with a CA that never changes.
type server struct {
	// Server registers the webhooks.
	webhook.Server
	options ServerOptions
	clients *clientCA
	started atomic.Bool
}

// NewServer returns the webhook server for the manager to start. It returns an error if the
// file of client CAs has no certificate.
func NewServer(options ServerOptions) (webhook.Server, error) {
	s := &server{Server: webhook.NewServer(webhook.Options{}), options: options}
	if options.ClientCAFile != "" {
		var err error
		if s.clients, err = newClientCA(options.ClientCAFile); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// Start serves until the context ends. It first waits for the certificate, because the
// manager starts the webhook server before the controllers that provide it.
func (s *server) Start(ctx context.Context) error {
	if !s.options.Certificate.Wait(ctx) {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13, NextProtos: []string{"h2", "http/1.1"}}
	s.options.Certificate.ConfigureTLS(config)
	if s.clients != nil {
		s.clients.configureTLS(config)
		go s.clients.watch(ctx)
	}
	address := net.JoinHostPort(s.options.Host, strconv.Itoa(s.options.Port))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen for webhooks: %w", err)
	}
	s.started.Store(true)
	return (&manager.Server{
		Name:            "webhooks",
		Server:          newHTTPServer(ctx, s.handler()),
		Listener:        tls.NewListener(netutil.LimitListener(listener, maxConnections), config),
		ShutdownTimeout: ptr.To(shutdownTimeout),
	}).Start(ctx)
}

// handler returns the registered webhooks with all limits.
func (s *server) handler() http.Handler {
	return s.options.Drain.Handler(serving.BodyTimeout(newBodyLimits(s.WebhookMux()), bodyTimeout))
}

// newHTTPServer returns a server with the limits of the connections.
func newHTTPServer(ctx context.Context, handler http.Handler) *http.Server {
	return &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		MaxHeaderBytes:    maxHeaderBytes,
		ReadHeaderTimeout: headerTimeout,
		WriteTimeout:      responseTimeout,
		IdleTimeout:       idleTimeout,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          maxStreams,
			MaxReceiveBufferPerConnection: maxUnread,
			MaxReceiveBufferPerStream:     maxUnread / 4,
		},
	}
}

// StartedChecker returns a readiness check. It does not connect to the server, because a
// replica must stay ready for the aggregated API even if clients take up all connections.
func (s *server) StartedChecker() healthz.Checker {
	return func(*http.Request) error {
		if !s.started.Load() {
			return errors.New("the webhook server has not started")
		}
		return nil
	}
}
