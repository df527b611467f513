// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/endpoints/request"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/resolution"
)

// resolveEndpoint serves a request to resolve or reopen errors of one job.
type resolveEndpoint struct {
	jobEndpoint
	// resolved is the requested state of the errors.
	resolved bool
}

// serveOne serves PUT jobs/{id}/joberrors/{name}/resolve and unresolve: 201.
func (e *resolveEndpoint) serveOne(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		jer, complete, err := e.resolveOne(w, r, name)
		e.answer(http.StatusCreated, jer, complete, err)
	}
}

func (e *resolveEndpoint) resolveOne(w http.ResponseWriter, r *http.Request, name string) (*joberrorv1.JobErrorResolution, bool, error) {
	body, err := readBody(w, r, e.resolved)
	if err != nil {
		return nil, false, err
	}
	if body.names != nil || body.records != nil {
		return nil, false, invalidRequest(field.Forbidden(field.NewPath("errors"), "is not allowed: the path names the error; the only allowed field is reason"))
	}
	ref, err := e.lookup(r.Context())
	if err != nil {
		return nil, false, err
	}
	names := []string{name}
	outcomes, err := e.preview(r.Context(), ref, names)
	if err != nil {
		return nil, false, err
	}
	if o := outcomes[0]; o.Result == resolution.Failed {
		return nil, false, notFound(name, fmt.Sprintf("job %q has no JobError %q: %s", e.id, name, o.Message))
	}
	jer := e.newResolution(names, body.reason)
	complete, err := e.submit(r.Context(), jer, outcomes)
	return jer, complete, err
}

// serveMany serves PUT jobs/{id}/joberrors/resolve and unresolve: 200.
func (e *resolveEndpoint) serveMany(w http.ResponseWriter, r *http.Request) {
	jer, complete, err := e.resolveMany(w, r)
	e.answer(http.StatusOK, jer, complete, err)
}

func (e *resolveEndpoint) resolveMany(w http.ResponseWriter, r *http.Request) (*joberrorv1.JobErrorResolution, bool, error) {
	body, err := readBody(w, r, e.resolved)
	if err != nil {
		return nil, false, err
	}
	ref, err := e.lookup(r.Context())
	if err != nil {
		return nil, false, err
	}
	dryRun, err := isDryRun(r.Context())
	if err != nil {
		return nil, false, err
	}
	switch {
	case body.names != nil || body.records != nil:
		return e.resolveSome(r.Context(), ref, body)
	case dryRun:
		jer, err := e.previewAll(r.Context(), ref, body.reason)
		return jer, true, err
	default:
		return e.resolveAll(r.Context(), ref, body.reason)
	}
}

// resolveSome resolves or reopens the errors that a body means.
func (e *resolveEndpoint) resolveSome(ctx context.Context, ref jobref.Ref, body *resolveBody) (*joberrorv1.JobErrorResolution, bool, error) {
	planned, err := e.plan(ctx, ref, body)
	if err != nil {
		return nil, false, err
	}
	jer := e.newResolution(planned.names, body.reason)
	complete, err := e.submit(ctx, jer, planned.outcomes)
	if err == nil {
		resolution.AddFailures(&jer.Status, planned.missing, time.Now())
	}
	return jer, complete, err
}

// newResolution returns the resolution that the request creates. If names is nil, it is for
// every error that is not in the requested state.
func (e *resolveEndpoint) newResolution(names []string, reason string) *joberrorv1.JobErrorResolution {
	prefix := "resolve-"
	if !e.resolved {
		prefix = "unresolve-"
	}
	return &joberrorv1.JobErrorResolution{
		ObjectMeta: metav1.ObjectMeta{Namespace: e.namespace, GenerateName: prefix},
		Spec:       joberrorv1.JobErrorResolutionSpec{JobID: e.id, Errors: names, Resolved: &e.resolved, Reason: reason},
	}
}

// submit creates the resolution, waits for it, and reports whether it is complete. If the
// request is a dry run or would change nothing, submit sets the resolution's status to the
// previewed outcomes and does not create it.
func (e *resolveEndpoint) submit(ctx context.Context, jer *joberrorv1.JobErrorResolution, outcomes []resolution.Outcome) (bool, error) {
	if err := requestBy(ctx, jer); err != nil {
		return false, err
	}
	dryRun, err := isDryRun(ctx)
	if err != nil {
		return false, err
	}
	if setPreview(jer, outcomes); dryRun || jer.Status.Updated == 0 {
		return true, nil
	}
	jer.Status = joberrorv1.JobErrorResolutionStatus{}
	if err := e.create(ctx, jer); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	return e.await(ctx, jer)
}

// requestBy sets the requester of a resolution to the user of the request.
func requestBy(ctx context.Context, jer *joberrorv1.JobErrorResolution) error {
	requester, ok := request.UserFrom(ctx)
	if !ok {
		return apierrors.NewUnauthorized("the request has no user")
	}
	jer.Spec.RequestedBy = requester.GetName()
	return nil
}

// setPreview sets the status of a resolution to that of a complete one with these outcomes.
func setPreview(jer *joberrorv1.JobErrorResolution, outcomes []resolution.Outcome) {
	tally := resolution.NewTally(jer, time.Now())
	for _, o := range outcomes {
		tally.Add(o)
	}
	jer.Status = tally.Completed(time.Now())
}

func (e *resolveEndpoint) create(ctx context.Context, jer *joberrorv1.JobErrorResolution) error {
	return e.client.Create(ctx, jer, client.FieldOwner(attribution.FieldManager))
}

// await waits until a resolution is complete, and reports whether it is. It updates jer. If
// too many requests wait already, it does not wait.
func (e *resolveEndpoint) await(ctx context.Context, jer *joberrorv1.JobErrorResolution) (bool, error) {
	releaseMemory(ctx)
	leave, ok := e.waiting.enter(e.namespace)
	if !ok {
		return resolution.IsComplete(jer), nil
	}
	defer leave()
	latest, err := e.whole(ctx, e.resolutions.Wait(ctx, jer))
	if err != nil {
		return false, err
	}
	*jer = *latest
	return resolution.IsComplete(jer), nil
}
