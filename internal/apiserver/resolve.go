// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/registry/rest"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/panics"
	"joberror.io/operator/internal/resolution"
)

// readsInFlight is how many named errors of one request are read at a time.
const readsInFlight = 16

// resolveOne serves PUT jobs/{id}/joberrors/{name}/resolve and unresolve: 201.
func (b *backend) resolveOne(namespace, id, name string, wants bool, responder rest.Responder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		entry, complete, err := b.doOne(w, r, namespace, id, name, wants)
		answer(responder, http.StatusCreated, entry, complete, err)
	}
}

func (b *backend) doOne(w http.ResponseWriter, r *http.Request, namespace, id, name string, wants bool) (*joberrorv1.JobErrorResolution, bool, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, false, err
	}
	if body.names != nil || body.records != nil {
		return nil, false, invalidRequest(field.Forbidden(field.NewPath("errors"), "must not stand here: the path names the error; the one field is reason"))
	}
	ref, err := b.job(r.Context(), namespace, id)
	if err != nil {
		return nil, false, err
	}
	names := []string{name}
	outcomes, err := b.judge(r.Context(), ref, names, wants)
	if err != nil {
		return nil, false, err
	}
	if o := outcomes[0]; o.Result == resolution.Failed {
		return nil, false, notFound(name, fmt.Sprintf("job %q has no JobError %q: %s", id, name, o.Message))
	}
	entry := newEntry(namespace, id, wants, names, body.reason)
	complete, err := b.submit(r.Context(), entry, tallyOf(entry, outcomes))
	return entry, complete, err
}

// resolveMany serves PUT jobs/{id}/joberrors/resolve and unresolve: 200.
func (b *backend) resolveMany(namespace, id string, wants bool, responder rest.Responder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		entry, complete, err := b.doMany(w, r, namespace, id, wants)
		answer(responder, http.StatusOK, entry, complete, err)
	}
}

func (b *backend) doMany(w http.ResponseWriter, r *http.Request, namespace, id string, wants bool) (*joberrorv1.JobErrorResolution, bool, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, false, err
	}
	ref, err := b.job(r.Context(), namespace, id)
	if err != nil {
		return nil, false, err
	}
	dryRun, err := isDryRun(r.Context())
	if err != nil {
		return nil, false, err
	}
	names, outcomes, missing, err := b.plan(r.Context(), ref, body, wants, dryRun)
	if err != nil {
		return nil, false, err
	}
	entry := newEntry(namespace, id, wants, names, body.reason)
	complete, err := b.submit(r.Context(), entry, tallyOf(entry, outcomes))
	if err == nil {
		resolution.AddFailures(&entry.Status, missing, time.Now())
	}
	return entry, complete, err
}

// plan finds out what a bulk request is about: the names for its entry, what
// would become of each, and which records mean no error at all.
func (b *backend) plan(ctx context.Context, ref jobref.Ref, body *body, wants, dryRun bool) (names []string, outcomes, missing []resolution.Outcome, err error) {
	if body.names != nil {
		outcomes, err = b.judge(ctx, ref, body.names, wants)
		return body.names, outcomes, nil, err
	}
	if body.records == nil {
		not := !wants
		for je, err := range ref.All(ctx, b.live, jobref.ListOptions{Resolved: &not}) {
			if err != nil {
				return nil, nil, nil, err
			}
			outcomes = append(outcomes, resolution.Outcome{Name: je.Name, Result: resolution.Updated})
			if !dryRun {
				// That there is one is reason enough for an entry, which
				// finds the others itself.
				break
			}
		}
		return nil, outcomes, nil, nil
	}
	found, _, err := ref.List(ctx, b.live, jobref.ListOptions{})
	if err != nil {
		return nil, nil, nil, err
	}
	names, missing = match(body.records, found, wants)
	if len(names) > joberrorv1.MaxNamedErrors {
		return nil, nil, nil, invalidRequest(field.TooMany(field.NewPath("body"), len(names), joberrorv1.MaxNamedErrors))
	}
	outcomes, err = b.judge(ctx, ref, names, wants)
	return names, outcomes, missing, err
}

// judge tells what would become of each named error.
func (b *backend) judge(ctx context.Context, ref jobref.Ref, names []string, wants bool) ([]resolution.Outcome, error) {
	outcomes := make([]resolution.Outcome, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readsInFlight)
	for i, name := range names {
		group.Go(func() error {
			return panics.Recover(func() (err error) {
				outcomes[i], err = b.judgeOne(ctx, ref, name, wants)
				return err
			})
		})
	}
	return outcomes, group.Wait()
}

func (b *backend) judgeOne(ctx context.Context, ref jobref.Ref, name string, wants bool) (resolution.Outcome, error) {
	updated := resolution.Outcome{Name: name, Result: resolution.Updated}
	if !isName(name) {
		return resolution.NotFound(name), nil
	}
	je := &joberrorv1.JobError{}
	key := types.NamespacedName{Namespace: ref.Namespace, Name: name}
	// An error that is to be changed is judged once more with its entry, so the
	// cache will do for it. What it takes to leave an error is known for sure.
	if b.client.Get(ctx, key, je) == nil && ref.Owns(je) && je.Spec.Resolved != wants {
		return updated, nil
	}
	err := b.live.Get(ctx, key, je)
	switch {
	case apierrors.IsNotFound(err):
		return resolution.NotFound(name), nil
	case err != nil:
		return resolution.Outcome{}, err
	case !ref.Owns(je):
		return resolution.OtherJob(name), nil
	case je.Spec.Resolved == wants:
		return resolution.Outcome{Name: name, Result: resolution.Unchanged}, nil
	default:
		return updated, nil
	}
}

func tallyOf(entry *joberrorv1.JobErrorResolution, outcomes []resolution.Outcome) *resolution.Tally {
	tally := resolution.NewTally(entry, time.Now())
	for _, o := range outcomes {
		tally.Add(o)
	}
	return tally
}
