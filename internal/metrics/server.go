// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package metrics is what the operator tells Prometheus, and whom.
package metrics

import (
	"crypto/tls"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus/collectors/version"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"joberror.io/operator/internal/certs"
	"joberror.io/operator/internal/serving"
)

func init() {
	// joberror_build_info.
	metrics.Registry.MustRegister(version.NewCollector("joberror"))
}

// bodyTimeout is how long the body may take that nobody needs to send.
const bodyTimeout = 5 * time.Second

// filter lets those through whom the API server lets get /metrics.
func filter(config *rest.Config, client *http.Client) (server.Filter, error) {
	authorized, err := filters.WithAuthenticationAndAuthorization(config, client)
	if err != nil {
		return nil, err
	}
	return func(log logr.Logger, handler http.Handler) (http.Handler, error) {
		inner, err := authorized(log, handler)
		return serving.BodyTimeout(inner, bodyTimeout), err
	}, nil
}

// Options serve the metrics with the operator's certificate, to those whom the
// API server lets get /metrics; with insecure, to everybody.
func Options(address string, insecure bool, certificate certs.Certificate) server.Options {
	if insecure {
		return server.Options{BindAddress: address}
	}
	return server.Options{
		BindAddress:    address,
		SecureServing:  true,
		FilterProvider: filter,
		// The filter is for all paths then: for one that nobody serves, too, the
		// library would wait for the body.
		ExtraHandlers: map[string]http.Handler{"/": http.NotFoundHandler()},
		TLSOpts: []func(*tls.Config){certs.Strict, func(config *tls.Config) {
			config.GetCertificate = certificate.Get
		}},
	}
}
