// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	certnames "joberror.io/operator/internal/certs/names"
)

// errNotTried says that there was nothing to try.
var errNotTried = errors.New("the custom resources are not served")

// webhookConfig decides whether the API server is told to call the webhook, and whether there
// is a pod to call.
func webhookConfig(f *Facts, _ time.Time) (Status, string) {
	if f.Mutating.Err != nil {
		return unread("MutatingWebhookConfiguration "+certnames.MutatingWebhook, f.Mutating.Err, "new errors lack createdAt until the operator sees them; "+install)
	}
	if f.Validating.Err != nil {
		return unread("ValidatingWebhookConfiguration "+certnames.ValidatingWebhook, f.Validating.Err, "errors past their retention are accepted; "+install)
	}
	service := fmt.Sprintf("Service %s in namespace %s", certnames.Service, f.OperatorNamespace)
	if f.Service.Err != nil {
		return unread(service, f.Service.Err, install)
	}
	if f.Service.Value.Spec.Type == corev1.ServiceTypeExternalName {
		return OK, fmt.Sprintf("the webhooks are configured; their Service leads to %s", f.Service.Value.Spec.ExternalName)
	}
	if f.Endpoints.Err != nil {
		return unread("the EndpointSlices of "+service, f.Endpoints.Err, install)
	}
	ready := 0
	for _, slice := range f.Endpoints.Value {
		for _, endpoint := range slice.Endpoints {
			if endpoint.Conditions.Ready == nil || *endpoint.Conditions.Ready {
				ready += len(endpoint.Addresses)
			}
		}
	}
	if ready == 0 {
		return Failed, service + " has no ready endpoint: look at the operator's pods"
	}
	return OK, fmt.Sprintf("the webhooks are configured; their Service has %d ready endpoints", ready)
}

// webhook decides whether the API server reaches the webhook. Its failures are ignored, so that
// errors can be recorded while it is down: a create succeeds either way. Only the webhook fills
// in createdAt, so a dry run that returns it proves that the webhook answered, and a dry run
// without it that the webhook was skipped.
func webhook(f *Facts, _ time.Time) (Status, string) {
	err := f.Trial.Err
	switch {
	case errors.Is(err, errNotTried):
		return Unknown, "not tried, because " + err.Error()
	case apierrors.IsForbidden(err):
		return Unknown, fmt.Sprintf("you may not create a JobError in namespace %s, not even as a dry run: %v", f.Namespace, err)
	case apierrors.IsUnauthorized(err):
		return Unknown, "you may not create JobErrors"
	case apierrors.IsNotFound(err):
		return Unknown, fmt.Sprintf("a JobError could not be created as a dry run; choose a namespace that exists with -n: %v", err)
	case err != nil:
		return Failed, fmt.Sprintf("a JobError could not be created as a dry run in namespace %s: %v", f.Namespace, err)
	case f.Trial.Value.Spec.CreatedAt == "":
		return Failed, "the API server does not reach the webhook: a dry run of a new JobError came back without createdAt, which only the webhook fills in; " +
			"check the operator's pods, the caBundle, and that the control plane reaches their port 9443"
	}
	return OK, "the webhook answers: it filled in createdAt of a new JobError, in a dry run"
}
