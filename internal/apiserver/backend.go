// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/errorlimit"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/retryplan"
)

// backend holds the dependencies of all endpoints.
type backend struct {
	// client reads from the cache, and writes.
	client client.Client
	// apiReader reads from the API server.
	apiReader client.Reader
	// resolutions waits for resolutions to complete.
	resolutions *waiter
	// choosing lets equal requests share a resolution.
	choosing singleflight.Group
	// waiting limits the requests that wait for resolutions.
	waiting   *places
	summaries *summaries
	// timeout limits how long a request waits for its resolution, or for its records to be
	// stored.
	timeout   time.Duration
	retention retention.Policy
	// storing limits the reported records that are stored at the same time, across all
	// requests.
	storing *semaphore.Weighted
	// planner plans retries, and authorizer knows who may make Jobs. The server sets it before
	// it serves.
	planner    *retryplan.Planner
	authorizer authorizer.Authorizer
	// errors counts the errors that the limits apply to.
	errors *errorlimit.Counter
	// archive reads archived errors.
	archive *archiveSource
}

// isName reports whether a part of the path can be a name or a UID. Nothing else may become
// part of the path of a request that the operator sends.
func isName(id string) bool { return len(validation.IsDNS1123Subdomain(id)) == 0 }

func notFound(name, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: message,
		Details: &metav1.StatusDetails{Name: name, Group: joberrorv1.GroupVersion.Group, Kind: "joberrors"},
	}}
}

// isDryRun reports whether the request is a dry run. The only valid value of ?dryRun is All.
func isDryRun(ctx context.Context) (bool, error) {
	values := dryRunOf(ctx)
	for _, value := range values {
		if value != metav1.DryRunAll {
			return false, invalidRequest(field.NotSupported(field.NewPath("dryRun"), value, []string{metav1.DryRunAll}))
		}
	}
	return len(values) > 0, nil
}
