// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"net/http"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apiserver/pkg/registry/rest"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
)

// jobEndpoint serves a request about the errors of one job.
type jobEndpoint struct {
	*backend
	namespace string
	// id is the job's name or UID in the path.
	id        string
	responder rest.Responder
}

// lookup returns the job in the path. It returns a 404 if neither a Job nor an error has
// this id.
func (e *jobEndpoint) lookup(ctx context.Context) (jobref.Ref, error) {
	if !isName(e.id) {
		return jobref.Ref{}, e.unknown()
	}
	known, err := jobref.LookupJob(ctx, e.client, e.namespace, e.id)
	if err != nil {
		return jobref.Ref{}, err
	}
	// The cache would copy every error of the job to find these ids.
	ids := e.summaries.jobIDs(e.namespace, e.id)
	ref := jobref.New(e.namespace, e.id, known, ids)
	if ref.Job != nil {
		return ref, nil
	}
	// The cache may not have a new Job yet. The names of its errors depend on its UID, so the
	// Job must be known even if another replica has already recorded errors of it.
	job, err := jobref.ReadMetadata(ctx, e.apiReader, types.NamespacedName{Namespace: e.namespace, Name: e.id})
	if err != nil {
		return ref, err
	}
	if job != nil {
		return jobref.New(e.namespace, e.id, &batchv1.Job{ObjectMeta: job.ObjectMeta}, ids), nil
	}
	exists, err := ref.HasErrors(ctx, e.client, e.apiReader)
	if err == nil && !exists {
		err = e.unknown()
	}
	return ref, err
}

// unknown returns the 404 for a job of which nothing is known.
func (e *jobEndpoint) unknown() error {
	return notFound(e.id, fmt.Sprintf("namespace %s has neither a Job nor a JobError for the job %q", e.namespace, e.id))
}

// answer sends the resolution with the given status code, or with 202 if it is not complete.
func (e *jobEndpoint) answer(code int, jer *joberrorv1.JobErrorResolution, complete bool, err error) {
	if err != nil {
		e.responder.Error(err)
		return
	}
	if !complete {
		code = http.StatusAccepted
	}
	jer.SetGroupVersionKind(joberrorv1.GroupVersion.WithKind("JobErrorResolution"))
	e.responder.Object(code, jer)
}
