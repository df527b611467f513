// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"context"
	"crypto/tls"

	"sigs.k8s.io/controller-runtime/pkg/webhook"

	"joberror.io/operator/internal/certs"
)

// server is the webhook server, which can start only when its certificate is
// there; the manager starts it before whatever makes the certificate.
type server struct {
	webhook.Server
	certificate certs.Certificate
}

// NewServer returns the server of the webhooks for the manager to start.
func NewServer(host string, port int, certificate certs.Certificate) webhook.Server {
	return &server{
		Server:      webhook.NewServer(webhook.Options{Host: host, Port: port, CertDir: certificate.Folder, TLSOpts: []func(*tls.Config){certs.Strict}}),
		certificate: certificate,
	}
}

// Start serves until the context ends.
func (s *server) Start(ctx context.Context) error {
	if !s.certificate.Wait(ctx) {
		return nil
	}
	return s.Server.Start(ctx)
}
