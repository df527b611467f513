// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package metrics defines the operator's metrics and who may read them.
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

// bodyTimeout limits how long a request's body may take. The handler does not need one.
const bodyTimeout = 5 * time.Second

// filter passes requests of users whom the API server allows to get /metrics.
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

// Options returns the options of a server that uses the operator's certificate and serves
// users whom the API server allows to get /metrics. If insecure is set, it serves everyone
// without TLS.
func Options(address string, insecure bool, certificate *certs.Certificate) server.Options {
	if insecure {
		return server.Options{BindAddress: address}
	}
	return server.Options{
		BindAddress:    address,
		SecureServing:  true,
		FilterProvider: filter,
		// This applies the filter to all paths. Without it, the library waits for the body
		// of a request to any other path.
		ExtraHandlers: map[string]http.Handler{"/": http.NotFoundHandler()},
		TLSOpts:       []func(*tls.Config){certificate.ConfigureTLS},
	}
}
