// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/semaphore"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/resolution"
	"joberror.io/operator/internal/retention"
)

// backend is what the endpoints work with.
type backend struct {
	// client reads from the cache, and writes.
	client client.Client
	// live reads from the API server.
	live   client.Reader
	waiter *waiter
	wait   time.Duration
	// policy is how long records are kept.
	policy retention.Policy
	// reports bounds the records that are kept at a time, of all requests together.
	reports *semaphore.Weighted
}

// job finds out which job a path means; 404 where there is neither a Job nor
// an error of that id.
func (b *backend) job(ctx context.Context, namespace, id string) (jobref.Ref, error) {
	unknown := notFound(id, fmt.Sprintf("namespace %s has neither a Job nor a JobError of the job %q", namespace, id))
	if !isName(id) {
		return jobref.Ref{}, unknown
	}
	ref, err := jobref.Lookup(ctx, b.client, namespace, id)
	if err != nil || ref.Job != nil {
		return ref, err
	}
	exists, err := ref.HasErrors(ctx, b.client, b.live)
	if err != nil || exists {
		return ref, err
	}
	// The cache may be behind on a Job that was created a moment ago.
	job := &metav1.PartialObjectMetadata{}
	job.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("Job"))
	err = b.live.Get(ctx, types.NamespacedName{Namespace: namespace, Name: id}, job)
	if apierrors.IsNotFound(err) {
		return ref, unknown
	}
	if err == nil {
		ref.Job = &batchv1.Job{ObjectMeta: job.ObjectMeta}
	}
	return ref, err
}

// isName tells whether a part of the path can be a name or a UID. No other may
// get into the path of a request of the operator's own.
func isName(id string) bool { return len(validation.IsDNS1123Subdomain(id)) == 0 }

func notFound(name, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound, Message: message,
		Details: &metav1.StatusDetails{Name: name, Group: joberrorv1.GroupVersion.Group, Kind: "joberrors"},
	}}
}

// submit makes a request's entry and waits for it. A request that would change
// nothing, or that is a dry run, gets the entry that it would have had, which
// is not kept.
func (b *backend) submit(ctx context.Context, entry *joberrorv1.JobErrorResolution, tally *resolution.Tally) (bool, error) {
	user, ok := request.UserFrom(ctx)
	if !ok {
		return false, apierrors.NewUnauthorized("the request has no user")
	}
	entry.Spec.RequestedBy = user.GetName()
	dryRun, err := isDryRun(ctx)
	if err != nil {
		return false, err
	}
	if dryRun || tally.Changes() == 0 {
		entry.Status = tally.Completed(time.Now())
		return true, nil
	}
	if err := b.client.Create(ctx, entry, client.FieldOwner(attribution.FieldManager)); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, b.wait)
	defer cancel()
	*entry = *b.waiter.Wait(ctx, entry)
	return resolution.IsComplete(entry), nil
}

// answer writes the entry, complete, or with 202 what there is of it.
func answer(responder rest.Responder, code int, entry *joberrorv1.JobErrorResolution, complete bool, err error) {
	if err != nil {
		responder.Error(err)
		return
	}
	if !complete {
		code = http.StatusAccepted
	}
	entry.SetGroupVersionKind(joberrorv1.GroupVersion.WithKind("JobErrorResolution"))
	responder.Object(code, entry)
}

// newEntry is the entry of a request that is made through an endpoint.
func newEntry(namespace, jobID string, resolved bool, names []string, reason string) *joberrorv1.JobErrorResolution {
	prefix := "resolve-"
	if !resolved {
		prefix = "unresolve-"
	}
	return &joberrorv1.JobErrorResolution{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: prefix},
		Spec:       joberrorv1.JobErrorResolutionSpec{JobID: jobID, Errors: names, Resolved: &resolved, Reason: reason},
	}
}

// isDryRun reads ?dryRun, whose one value is All.
func isDryRun(ctx context.Context) (bool, error) {
	values := dryRunOf(ctx)
	for _, value := range values {
		if value != metav1.DryRunAll {
			return false, invalidRequest(field.NotSupported(field.NewPath("dryRun"), value, []string{metav1.DryRunAll}))
		}
	}
	return len(values) > 0, nil
}
