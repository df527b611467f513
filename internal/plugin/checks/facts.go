// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"fmt"
	"strings"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// Read is what a request returned: a value or an error.
type Read[T any] struct {
	Value T
	Err   error
}

// Facts holds what the rules decide about.
type Facts struct {
	// Namespace is the namespace that the user works in.
	Namespace string
	// OperatorNamespace is the namespace of the operator.
	OperatorNamespace string
	// PluginVersion is the version of this program. It is empty in a build without a version.
	PluginVersion string

	// Hint returns a command for a person to type, which goes to the same cluster.
	Hint func(words ...string) string `json:"-"`

	// Kubernetes is the version of the API server, such as v1.36.3.
	Kubernetes Read[string]
	// Served holds the resources of joberror.io/v1 that the API server serves.
	Served Read[[]string]
	// CRDs holds the custom resource definitions by name.
	CRDs map[string]Read[*apiextensionsv1.CustomResourceDefinition]
	// Deployments holds the Deployments of the operator.
	Deployments Read[[]appsv1.Deployment]
	Lease       Read[*coordinationv1.Lease]
	APIService  Read[*apiregistrationv1.APIService]
	// Aggregated holds the resources that the aggregated API serves.
	Aggregated Read[[]string]
	// AggregatedVersion is the version that the operator states in its OpenAPI document.
	AggregatedVersion Read[string]
	Mutating          Read[*admissionregistrationv1.MutatingWebhookConfiguration]
	Validating        Read[*admissionregistrationv1.ValidatingWebhookConfiguration]
	Service           Read[*corev1.Service]
	// Endpoints holds the EndpointSlices of the Service.
	Endpoints Read[[]discoveryv1.EndpointSlice]
	// Secret holds the serving certificate.
	Secret Read[*corev1.Secret]
	// Trial is a JobError as a dry run would have stored it.
	Trial Read[*joberrorv1.JobError]
	// Admission holds the resources of admissionregistration.k8s.io/v1 that the API server
	// serves.
	Admission Read[[]string]
	// Policies holds the names of the policies and bindings that exist, by resource.
	Policies map[string]Read[[]string]
	// Rights holds what the user may do.
	Rights []Right
}

// mayNot returns why a check could not look, if the user may not.
func mayNot(what string, err error) (Status, string, bool) {
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return Unknown, "you may not read " + what, true
	}
	return "", "", false
}

// unread returns the outcome for something that could not be read. If it does not exist, the
// outcome is failed, with the advice.
func unread(what string, err error, advice string) (Status, string) {
	if status, message, ok := mayNot(what, err); ok {
		return status, message
	}
	if apierrors.IsNotFound(err) {
		return Failed, fmt.Sprintf("%s does not exist: %s", what, advice)
	}
	return Unknown, fmt.Sprintf("read %s: %v", what, err)
}

// oneLine joins the lines of a message.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// names returns the names of objects.
func names[T any, P interface {
	*T
	metav1.Object
}](objects []T) []string {
	var all []string
	for i := range objects {
		all = append(all, P(&objects[i]).GetName())
	}
	return all
}
