// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/panics"
	"joberror.io/operator/internal/resolution"
)

// readsInFlight limits the named errors of one request that are read at the same time.
const readsInFlight = 16

// resolvePlan holds what a bulk request would do.
type resolvePlan struct {
	// names are the names for the resolution.
	names []string
	// outcomes holds the expected outcome for each error.
	outcomes []resolution.Outcome
	// missing holds a failure for each record that matches no error.
	missing []resolution.Outcome
}

// plan returns what a request for the errors in its body would do.
func (e *resolveEndpoint) plan(ctx context.Context, ref jobref.Ref, body *resolveBody) (resolvePlan, error) {
	if body.records != nil {
		return e.planRecords(ctx, ref, body.records)
	}
	outcomes, err := e.preview(ctx, ref, body.names)
	return resolvePlan{names: body.names, outcomes: outcomes}, err
}

// planRecords returns the plan for the errors that an array of records means.
func (e *resolveEndpoint) planRecords(ctx context.Context, ref jobref.Ref, records *recordIndex) (resolvePlan, error) {
	m := newMatcher(records)
	if len(m.groups) > 0 {
		for je, err := range ref.All(ctx, e.apiReader, jobref.ListOptions{}) {
			if err != nil {
				return resolvePlan{}, err
			}
			m.add(je)
		}
	}
	names, missing := m.match()
	outcomes, err := e.preview(ctx, ref, names)
	return resolvePlan{names: names, outcomes: outcomes, missing: missing}, err
}

// preview returns the expected outcome for each named error.
func (e *resolveEndpoint) preview(ctx context.Context, ref jobref.Ref, names []string) ([]resolution.Outcome, error) {
	outcomes := make([]resolution.Outcome, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsInFlight)
	for i, name := range names {
		group.Go(func() error {
			return panics.Recover(ctx, func() (err error) {
				outcomes[i], err = e.previewOne(ctx, ref, name)
				return err
			})
		})
	}
	return outcomes, group.Wait()
}

func (e *resolveEndpoint) previewOne(ctx context.Context, ref jobref.Ref, name string) (resolution.Outcome, error) {
	updated := resolution.Outcome{Name: name, Result: resolution.Updated}
	if !isName(name) {
		return resolution.NotFound(name), nil
	}
	je := &joberrorv1.JobError{}
	key := types.NamespacedName{Namespace: ref.Namespace, Name: name}
	// The cache is enough to expect a change: the controller checks the error again. To
	// expect no change takes a read from the API server.
	if e.client.Get(ctx, key, je) == nil && ref.Owns(je) && je.Spec.Resolved != e.resolved {
		return updated, nil
	}
	err := e.apiReader.Get(ctx, key, je)
	switch {
	case apierrors.IsNotFound(err):
		return resolution.NotFound(name), nil
	case err != nil:
		return resolution.Outcome{}, err
	case !ref.Owns(je):
		return resolution.OtherJob(name), nil
	case je.Spec.Resolved == e.resolved:
		return resolution.Outcome{Name: name, Result: resolution.Unchanged}, nil
	default:
		return updated, nil
	}
}
