// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package webhook

import (
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

var refused = prometheus.NewCounterVec(prometheus.CounterOpts{
	Name: "joberror_webhook_refused_total",
	Help: "Requests to the webhooks that were refused because of a limit, by status code.",
}, []string{"code"})

func init() { metrics.Registry.MustRegister(refused) }
