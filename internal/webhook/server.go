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

// server is the webhook server, which can start only when its certificate is
// there; the manager starts it before whatever makes the certificate.
type server struct {
	webhook.Server
	certificate certs.Certificate
	drain       serving.Drain
}

// bodyTimeout is longer than the API server waits for an answer.
const bodyTimeout = 5 * time.Second

// NewServer returns the server of the webhooks for the manager to start.
func NewServer(host string, port int, certificate certs.Certificate, drain serving.Drain) webhook.Server {
	return &server{
		Server:      webhook.NewServer(webhook.Options{Host: host, Port: port, CertDir: certificate.Folder, TLSOpts: []func(*tls.Config){certs.Strict}}),
		certificate: certificate,
		drain:       drain,
	}
}

// Register serves a webhook at a path. Whoever reaches the port may send it
// something, so nobody may take long over it.
func (s *server) Register(path string, hook http.Handler) {
	s.Server.Register(path, s.drain.Handler(serving.BodyTimeout(hook, bodyTimeout)))
}

// Start serves until the context ends.
func (s *server) Start(ctx context.Context) error {
	if !s.certificate.Wait(ctx) {
		return nil
	}
	// For a path that nobody serves, too, the library would wait for the body.
	s.WebhookMux().Handle("/", serving.BodyTimeout(http.NotFoundHandler(), bodyTimeout))
	return s.Server.Start(ctx)
}
