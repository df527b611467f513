// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package probes is what the kubelet asks: whether the process lives, and
// whether it serves.
package probes

import (
	"context"
	"errors"
	"net/http"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/healthz"

	"joberror.io/operator/internal/apiserver"
	"joberror.io/operator/internal/certs"
)

// Setup adds the probes to the manager.
func Setup(mgr ctrl.Manager, certificate certs.Certificate, aggregated *apiserver.Server) error {
	filled := make(caches)
	return errors.Join(
		mgr.Add(filled),
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("certificate", certificate.Check),
		mgr.AddReadyzCheck("webhooks", mgr.GetWebhookServer().StartedChecker()),
		mgr.AddReadyzCheck("aggregated-api", aggregated.Check),
		mgr.AddReadyzCheck("caches", filled.check),
	)
}

// caches is closed once the caches are filled: the manager starts its runnables
// after them.
type caches chan struct{}

// NeedLeaderElection tells the manager that every replica has caches.
func (c caches) NeedLeaderElection() bool { return false }

func (c caches) Start(context.Context) error {
	close(c)
	return nil
}

func (c caches) check(*http.Request) error {
	select {
	case <-c:
		return nil
	default:
		return errors.New("the caches are not filled yet")
	}
}
