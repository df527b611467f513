// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package certs keeps the serving certificate of all servers. cert-controller
// makes and renews it and its CA in one Secret; this package brings both to
// where they are used, in an order in which no request fails.
package certs

import (
	"context"
	"fmt"
	"time"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"joberror.io/operator/internal/attribution"
)

// Names of the objects under config that the certificate is about.
const (
	SecretName  = "joberror-operator-certs"
	ServiceName = "joberror-operator"
)

// +kubebuilder:rbac:groups="",namespace=joberror-system,resources=secrets,verbs=create;list;watch
// +kubebuilder:rbac:groups="",namespace=joberror-system,resources=secrets,resourceNames=joberror-operator-certs,verbs=update
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=mutatingwebhookconfigurations;validatingwebhookconfigurations,resourceNames=joberror-operator,verbs=list;watch;patch
// +kubebuilder:rbac:groups=apiregistration.k8s.io,resources=apiservices,resourceNames=v1.resolve.joberror.io,verbs=list;watch;patch

// Options tell who keeps the certificate.
type Options struct {
	// Namespace is that of the Secret and of the Service.
	Namespace string
	// Manage is false where another tool keeps the Secret and puts its CA where
	// it is trusted.
	Manage bool
}

// Setup makes the manager keep the certificate of the Service, copied into its
// folder.
func Setup(ctx context.Context, mgr ctrl.Manager, opts Options, certificate Certificate) error {
	secret := types.NamespacedName{Namespace: opts.Namespace, Name: SecretName}
	h := &handover{client: mgr.GetClient(), clock: clock.RealClock{}, secret: secret, certificate: certificate, manage: opts.Manage}
	if err := h.setup(mgr); err != nil || !opts.Manage {
		return err
	}
	return rotate(ctx, mgr, secret, certificate.Folder)
}

// setup makes all that it watches lead to the one request that there is.
func (h *handover) setup(mgr ctrl.Manager) error {
	to := func(name string) builder.WatchesOption {
		return builder.WithPredicates(predicate.NewPredicateFuncs(func(obj client.Object) bool { return obj.GetName() == name }))
	}
	one := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: h.secret}}
	})
	b := ctrl.NewControllerManagedBy(mgr).Named("certificates").
		WithOptions(controller.Options{NeedLeaderElection: ptr.To(false), MaxConcurrentReconciles: 1}).
		Watches(&corev1.Secret{}, one, to(h.secret.Name))
	for caller, name := range Callers() {
		b = b.Watches(caller, one, to(name))
	}
	return b.Complete(h)
}

// rotate makes cert-controller fill the Secret and renew what is in it.
func rotate(ctx context.Context, mgr ctrl.Manager, secret types.NamespacedName, folder string) error {
	live, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient()})
	if err != nil {
		return err
	}
	// It does not start without one.
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := makeSecret(ctx, live, secret); err != nil {
		return fmt.Errorf("secret %s: %w", secret, err)
	}
	return rotator.AddRotator(mgr, &rotator.CertRotator{
		SecretKey:      secret,
		CAName:         "joberror-ca",
		CAOrganization: "joberror.io",
		DNSName:        fmt.Sprintf("%s.%s.svc", ServiceName, secret.Namespace),
		FieldOwner:     attribution.FieldManager,
		ControllerName: "rotation",
		CertDir:        folder,
		IsReady:        make(chan struct{}),
	})
}
