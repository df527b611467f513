// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package certs maintains the serving certificate of all servers. cert-controller creates
// and renews the certificate and its CA in a Secret. This package copies the certificate
// to the servers and the CA to the API server's configuration, in an order in which no
// request fails.
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
	"joberror.io/operator/internal/certs/names"
)

// Names of the Secret with the certificate and of the Service that it is for.
const (
	SecretName  = names.Secret
	ServiceName = names.Service
)

// RBAC can't limit a create to a name.
//
// +kubebuilder:rbac:groups="",namespace=joberror-system,resources=secrets,verbs=create
// +kubebuilder:rbac:groups="",namespace=joberror-system,resources=secrets,resourceNames=joberror-operator-certs,verbs=list;watch;update
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=mutatingwebhookconfigurations;validatingwebhookconfigurations,resourceNames=joberror-operator,verbs=list;watch;patch
// +kubebuilder:rbac:groups=apiregistration.k8s.io,resources=apiservices,resourceNames=v1.resolve.joberror.io,verbs=list;watch;patch

// Options says who maintains the certificate.
type Options struct {
	// Namespace holds the Secret and the Service.
	Namespace string
	// Manage is false if another tool maintains the Secret and makes the API server
	// trust its CA.
	Manage bool
}

// Setup makes the manager maintain the certificate of the Service.
func Setup(ctx context.Context, mgr ctrl.Manager, opts Options, certificate *Certificate) error {
	secret := types.NamespacedName{Namespace: opts.Namespace, Name: SecretName}
	h := &handover{client: mgr.GetClient(), clock: clock.RealClock{}, secret: secret, certificate: certificate, manage: opts.Manage}
	if err := h.setup(mgr); err != nil || !opts.Manage {
		return err
	}
	return rotate(ctx, mgr, secret, certificate.Folder)
}

// setup adds the controller to the manager. All watched objects lead to the same request.
func (h *handover) setup(mgr ctrl.Manager) error {
	named := func(name string) builder.WatchesOption {
		return builder.WithPredicates(predicate.NewPredicateFuncs(func(obj client.Object) bool { return obj.GetName() == name }))
	}
	toSecret := handler.EnqueueRequestsFromMapFunc(func(context.Context, client.Object) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: h.secret}}
	})
	b := ctrl.NewControllerManagedBy(mgr).Named("certificates").
		WithOptions(controller.Options{NeedLeaderElection: ptr.To(false), MaxConcurrentReconciles: 1}).
		Watches(&corev1.Secret{}, toSecret, named(h.secret.Name))
	for caller, name := range Callers() {
		b = b.Watches(caller, toSecret, named(name))
	}
	return b.Complete(h)
}

// rotate makes cert-controller fill in the Secret and renew the certificate in it.
func rotate(ctx context.Context, mgr ctrl.Manager, secret types.NamespacedName, folder string) error {
	uncached, err := client.New(mgr.GetConfig(), client.Options{Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper(), HTTPClient: mgr.GetHTTPClient()})
	if err != nil {
		return err
	}
	// cert-controller does not start without the Secret.
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := createSecret(ctx, uncached, secret); err != nil {
		return fmt.Errorf("create Secret %s: %w", secret, err)
	}
	return rotator.AddRotator(oneSecret{Manager: mgr, name: secret.Name}, &rotator.CertRotator{
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
