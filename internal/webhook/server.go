// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"crypto/tls"
	"net/http"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"joberror.io/operator/internal/certs"
	"joberror.io/operator/internal/serving"
)

// server is a webhook server that waits for its certificate before it starts. The manager
// starts the webhook server before the controllers that provide the certificate.
type server struct {
	webhook.Server
	certificate *certs.Certificate
	drain       serving.Drain
}

// bodyTimeout limits how long a request's body may take. It is longer than the API server
// waits for a response.
const bodyTimeout = 5 * time.Second

// NewServer returns the webhook server for the manager to start.
func NewServer(host string, port int, certificate *certs.Certificate, drain serving.Drain) webhook.Server {
	return &server{
		Server:      webhook.NewServer(webhook.Options{Host: host, Port: port, TLSOpts: []func(*tls.Config){certificate.ConfigureTLS}}),
		certificate: certificate,
		drain:       drain,
	}
}

// Register serves a webhook at a path. Any client that reaches the port may send a
// request, so its body has a timeout.
func (s *server) Register(path string, hook http.Handler) {
	s.Server.Register(path, s.drain.Handler(serving.BodyTimeout(hook, bodyTimeout)))
}

// Start serves until the context ends.
func (s *server) Start(ctx context.Context) error {
	if !s.certificate.Wait(ctx) {
		return nil
	}
	// Without this handler, the library waits for the body of a request to any other path.
	s.WebhookMux().Handle("/", serving.BodyTimeout(http.NotFoundHandler(), bodyTimeout))
	return s.Server.Start(ctx)
}
