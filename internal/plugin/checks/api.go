// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package checks

import (
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apiregistrationv1 "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"

	certnames "joberror.io/operator/internal/certs/names"
)

// aggregatedResources holds what the aggregated API serves.
var aggregatedResources = []string{"jobs", "jobs/joberrors", "jobs/retry"}

// apiService decides whether the API server forwards requests to the operator.
func apiService(f *Facts, _ time.Time) (Status, string) {
	if f.APIService.Err != nil {
		return unread("APIService "+certnames.APIService, f.APIService.Err, "the endpoints below resolve.joberror.io answer 404; "+install)
	}
	for _, c := range f.APIService.Value.Status.Conditions {
		if c.Type != apiregistrationv1.Available {
			continue
		}
		if c.Status == apiregistrationv1.ConditionTrue {
			return OK, "APIService " + certnames.APIService + " is available"
		}
		return Failed, fmt.Sprintf("APIService %s is not available, which also blocks the deletion of namespaces: %s: %s", certnames.APIService, c.Reason, c.Message)
	}
	return Failed, "APIService " + certnames.APIService + " has no condition Available yet: wait a few seconds, or look at the log of kube-controller-manager and kube-apiserver"
}

// aggregatedAPI decides whether the aggregated API answers.
func aggregatedAPI(f *Facts, _ time.Time) (Status, string) {
	err := f.Aggregated.Err
	switch {
	case err == nil:
	case apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err):
		return Unknown, "you may not read /apis/resolve.joberror.io/v1"
	case apierrors.IsNotFound(err):
		return Failed, "the API server does not know resolve.joberror.io/v1: the APIService is missing; " + install
	default:
		return Failed, fmt.Sprintf("GET /apis/resolve.joberror.io/v1: %v; check the operator's pods, and that the control plane reaches their port 6443", err)
	}
	var missing []string
	for _, resource := range aggregatedResources {
		if !slices.Contains(f.Aggregated.Value, resource) {
			missing = append(missing, resource)
		}
	}
	if len(missing) > 0 {
		return Warning, fmt.Sprintf("the aggregated API does not serve %s: the operator is older than this plugin", strings.Join(missing, ", "))
	}
	return OK, "the aggregated API answers"
}
