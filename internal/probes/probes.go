// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package probes answers the kubelet's liveness and readiness probes.
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
func Setup(mgr ctrl.Manager, certificate *certs.Certificate, aggregated *apiserver.Server) error {
	synced := make(cachesSynced)
	return errors.Join(
		mgr.Add(synced),
		mgr.AddHealthzCheck("ping", healthz.Ping),
		mgr.AddReadyzCheck("certificate", certificate.Check),
		mgr.AddReadyzCheck("webhooks", mgr.GetWebhookServer().StartedChecker()),
		mgr.AddReadyzCheck("aggregated-api", aggregated.Check),
		mgr.AddReadyzCheck("caches", synced.check),
	)
}

// cachesSynced is a Runnable that closes the channel when it starts. The manager starts
// its Runnables after the caches have synced.
type cachesSynced chan struct{}

// NeedLeaderElection returns false, because every replica has caches.
func (c cachesSynced) NeedLeaderElection() bool { return false }

// Start reports the caches as synced.
func (c cachesSynced) Start(context.Context) error {
	close(c)
	return nil
}

func (c cachesSynced) check(*http.Request) error {
	select {
	case <-c:
		return nil
	default:
		return errors.New("the caches have not synced yet")
	}
}
