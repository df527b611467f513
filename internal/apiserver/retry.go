// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/endpoints/request"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/resolution"
	"joberror.io/operator/internal/retry"
	"joberror.io/operator/internal/retryplan"
)

// retryEndpoint serves a request to run a failed Job again.
type retryEndpoint struct {
	jobEndpoint
	// rights holds what the caller needs besides the right to call the endpoint.
	rights []authorizer.AttributesRecord
}

// mayCreateJobs grants creating Jobs by hand. Whoever lacks it must not start
// containers with a retry either.
var mayCreateJobs = authorizer.AttributesRecord{Verb: "create", APIGroup: batchv1.GroupName, APIVersion: "v1", Resource: "jobs"}

// mayReadJobs grants reading Jobs. The answer to a dry run shows the template of one.
var mayReadJobs = authorizer.AttributesRecord{Verb: "get", APIGroup: batchv1.GroupName, APIVersion: "v1", Resource: "jobs"}

// mayRetry is the right to call POST jobs/{_id}/retry. To RBAC, its alias under joberrors is the
// same as a resolve.
var mayRetry = authorizer.AttributesRecord{
	Verb: "create", APIGroup: resolvev1.GroupVersion.Group, APIVersion: resolvev1.GroupVersion.Version, Resource: "jobs", Subresource: "retry",
}

// serve answers with the given status code once the new Job exists.
func (e *retryEndpoint) serve(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer, created, err := e.retry(w, r)
		if err != nil {
			e.responder.Error(err)
			return
		}
		status := code
		if !created {
			status = http.StatusAccepted
		}
		// A Job is no kind of this API, so the library can't encode it.
		writeJSON(r.Context(), w, status, answer)
	}
}

// retry requests a retry and waits for its Job. It returns the retry and whether its Job exists,
// or, for a dry run, the Job that would be created.
func (e *retryEndpoint) retry(w http.ResponseWriter, r *http.Request) (client.Object, bool, error) {
	ctx := r.Context()
	if err := e.authorize(ctx, e.rights...); err != nil {
		return nil, false, err
	}
	jet, names, err := e.readRetry(w, r)
	if err != nil {
		return nil, false, err
	}
	dryRun, err := isDryRun(ctx)
	if err != nil {
		return nil, false, err
	}
	if !isName(e.id) {
		return nil, false, e.unknown()
	}
	if err := e.checkErrors(ctx, names); err != nil {
		return nil, false, err
	}
	// The schema of a JobErrorRetry refuses a body that is not valid, also for a dry run.
	if err := e.client.Create(ctx, jet.DeepCopy(), client.FieldOwner(attribution.FieldManager), client.DryRunAll); err != nil {
		return nil, false, err
	}
	planned, refusal, err := e.planner.Plan(ctx, jet)
	switch {
	case err != nil:
		return nil, false, apiAnswer(err)
	case refusal != nil:
		return nil, false, refused(e.id, *refusal)
	case dryRun:
		if err := e.authorize(ctx, mayReadJobs); err != nil {
			return nil, false, err
		}
		job, err := e.preview(ctx, planned)
		return job, true, err
	}
	if err := e.client.Create(ctx, jet, client.FieldOwner(attribution.FieldManager)); err != nil {
		return nil, false, err
	}
	return e.awaitJob(ctx, jet)
}

// authorize returns a 403 unless the caller has all of these rights.
func (e *retryEndpoint) authorize(ctx context.Context, rights ...authorizer.AttributesRecord) error {
	caller, ok := request.UserFrom(ctx)
	if !ok {
		return apierrors.NewUnauthorized("the request has no user")
	}
	for _, right := range rights {
		right.User, right.Namespace, right.ResourceRequest = caller, e.namespace, true
		decision, reason, err := e.authorizer.Authorize(ctx, right)
		if err != nil {
			return fmt.Errorf("check whether %s may %s %s: %w", caller.GetName(), right.Verb, right.Resource, err)
		}
		if decision != authorizer.DecisionAllow {
			resource := right.Resource
			if right.Subresource != "" {
				resource += "/" + right.Subresource
			}
			return refused(e.id, retry.Refusal{Code: http.StatusForbidden, Message: fmt.Sprintf(
				"user %q may not request this retry: it cannot %s resource %q in API group %q in the namespace %q%s",
				caller.GetName(), right.Verb, resource, right.APIGroup, e.namespace, suffixed(reason))})
		}
	}
	return nil
}

func suffixed(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + reason
}

// readRetry reads the body of a request. It returns the retry that the request creates, and the
// names of the errors in the body.
func (e *retryEndpoint) readRetry(w http.ResponseWriter, r *http.Request) (*joberrorv1.JobErrorRetry, []string, error) {
	body, err := readRetryBody(w, r)
	if err != nil {
		return nil, nil, err
	}
	caller, _ := request.UserFrom(r.Context())
	return &joberrorv1.JobErrorRetry{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, GenerateName: "retry-"},
		Spec: joberrorv1.JobErrorRetrySpec{
			JobID: e.id, Template: body.Template, Indexes: body.Indexes, Set: body.Set, Reason: body.Reason, RequestedBy: caller.GetName(),
		},
	}, body.Errors, nil
}

// checkErrors returns a 404 unless the job has each of the named errors. A retry runs the whole
// Job, so the names only guard against a mix-up.
func (e *retryEndpoint) checkErrors(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	ref, err := e.lookup(ctx)
	if err != nil {
		return err
	}
	outcomes, err := (&resolveEndpoint{jobEndpoint: e.jobEndpoint, resolved: true}).preview(ctx, ref, names)
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		if o.Result == resolution.Failed {
			return notFound(o.Name, fmt.Sprintf("errors: job %q has no JobError %q: %s", e.id, o.Name, o.Message))
		}
	}
	return nil
}

// preview returns the Job that the retry would create, as the API server answers a dry run.
func (e *retryEndpoint) preview(ctx context.Context, planned *retryplan.Planned) (*batchv1.Job, error) {
	job, err := e.planner.CreateJob(ctx, planned, client.DryRunAll)
	if err != nil {
		return nil, err
	}
	job.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("Job"))
	return job, nil
}

// awaitJob waits until the retry has its Job, and reports whether it has. It returns an error if
// the retry was refused in the meantime.
func (e *retryEndpoint) awaitJob(ctx context.Context, jet *joberrorv1.JobErrorRetry) (client.Object, bool, error) {
	latest := e.awaitStart(ctx, jet)
	// The cache lacks the overrides.
	latest.Spec = jet.Spec
	latest.SetGroupVersionKind(joberrorv1.GroupVersion.WithKind("JobErrorRetry"))
	if refusal := retry.RefusalIn(latest); refusal != nil {
		return nil, false, refused(e.id, *refusal)
	}
	return latest, latest.Status.Job != nil, nil
}

// awaitStart waits until the Job of a retry may run, or the retry is complete, and returns the
// last known state of the retry. If too many requests wait already, it does not wait.
func (e *retryEndpoint) awaitStart(ctx context.Context, jet *joberrorv1.JobErrorRetry) *joberrorv1.JobErrorRetry {
	releaseMemory(ctx)
	latest := jet.DeepCopy()
	leave, ok := e.waiting.enter(e.namespace)
	if !ok {
		return latest
	}
	defer leave()
	// The answer of a request that waited too long shows how far the retry has come.
	_ = wait.PollUntilContextTimeout(ctx, cachePoll, e.timeout, false, func(ctx context.Context) (bool, error) {
		cached := &joberrorv1.JobErrorRetry{}
		if err := e.client.Get(ctx, client.ObjectKeyFromObject(jet), cached); err != nil || cached.UID != jet.UID {
			return false, client.IgnoreNotFound(err)
		}
		latest = cached
		return cached.Status.StartedAt != nil || retry.IsComplete(cached), nil
	})
	return latest
}

// apiAnswer returns the API server's answer in an error, if there is one. The library does not
// look for it in an error that says more.
func apiAnswer(err error) error {
	var answer *apierrors.StatusError
	if errors.As(err, &answer) {
		return answer
	}
	return err
}

// refused returns the error of a request that is refused.
func refused(id string, refusal retry.Refusal) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: refusal.Code, Reason: refusal.Reason(), Message: refusal.Message,
		Details: &metav1.StatusDetails{Name: id, Group: resolvev1.GroupVersion.Group, Kind: "jobs"},
	}}
}
