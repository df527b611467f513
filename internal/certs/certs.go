// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package certs keeps the serving certificate of the webhooks and the
// aggregated API: made and rotated by cert-controller in one Secret, whose CA
// it writes into the webhook configurations and the APIService.
package certs

import (
	"fmt"

	"github.com/open-policy-agent/cert-controller/pkg/rotator"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"

	"joberror.io/operator/internal/attribution"
)

// Names of the objects under config that hold the certificate and its CA.
const (
	SecretName         = "joberror-operator-certs"
	ServiceName        = "joberror-operator"
	MutatingWebhook    = "joberror-operator"
	ValidatingWebhook  = "joberror-operator"
	APIService         = "v1.resolve.joberror.io"
	certName, keyName  = "tls.crt", "tls.key"
	controllerName     = "certificates"
	certificateSubject = "joberror-ca"
)

// +kubebuilder:rbac:groups="",namespace=joberror-system,resources=secrets,verbs=get;list;watch;update
// +kubebuilder:rbac:groups=admissionregistration.k8s.io,resources=mutatingwebhookconfigurations;validatingwebhookconfigurations,verbs=get;list;watch;update
// +kubebuilder:rbac:groups=apiregistration.k8s.io,resources=apiservices,verbs=get;list;watch;update

// Setup makes the manager keep the certificate of the Service in that
// namespace, copied into its folder.
func Setup(mgr ctrl.Manager, namespace string, certificate Certificate) error {
	secret := types.NamespacedName{Namespace: namespace, Name: SecretName}
	if err := mgr.Add(&mirror{cache: mgr.GetCache(), secret: secret, folder: certificate.Folder}); err != nil {
		return err
	}
	return rotator.AddRotator(mgr, &rotator.CertRotator{
		SecretKey:      secret,
		CertDir:        certificate.Folder,
		CAName:         certificateSubject,
		CAOrganization: "joberror.io",
		DNSName:        fmt.Sprintf("%s.%s.svc", ServiceName, namespace),
		IsReady:        certificate.ready,
		FieldOwner:     attribution.FieldManager,
		ControllerName: controllerName,
		Webhooks: []rotator.WebhookInfo{
			{Name: MutatingWebhook, Type: rotator.Mutating},
			{Name: ValidatingWebhook, Type: rotator.Validating},
			{Name: APIService, Type: rotator.APIService},
		},
	})
}
