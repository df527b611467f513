// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package certs

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var expiration = prometheus.NewGauge(prometheus.GaugeOpts{
	Name: "joberror_certificate_expiration_timestamp_seconds",
	Help: "When the serving certificate expires, in seconds since 1970.",
})

func init() { metrics.Registry.MustRegister(expiration) }
