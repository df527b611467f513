// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package metrics is what the operator tells Prometheus, and whom.
package metrics

import (
	"crypto/tls"

	"github.com/prometheus/client_golang/prometheus/collectors/version"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"joberror.io/operator/internal/certs"
)

func init() {
	// joberror_build_info.
	metrics.Registry.MustRegister(version.NewCollector("joberror"))
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
		FilterProvider: filters.WithAuthenticationAndAuthorization,
		TLSOpts: []func(*tls.Config){certs.Strict, func(config *tls.Config) {
			config.GetCertificate = certificate.Get
		}},
	}
}
