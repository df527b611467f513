// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/panics"
	"joberror.io/operator/internal/resolution"
)

// fanOut sets all targets, several at a time, and reports progress while it
// lasts. It returns the first passing error; the entry is then worked through
// again.
func (r *JobErrorResolutionReconciler) fanOut(ctx context.Context, entry *joberrorv1.JobErrorResolution, ref jobref.Ref, targets []target, snapshot string, tally *resolution.Tally, progress func() error) error {
	// Nobody waits for the writer of the progress.
	outcomes := make(chan resolution.Outcome, len(targets))
	finished := make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		defer close(outcomes)
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(r.Concurrency)
		for _, t := range targets {
			group.Go(func() error {
				return panics.Recover(func() error {
					o, err := r.set(ctx, entry, ref, t, snapshot)
					if err == nil {
						outcomes <- o
					}
					return err
				})
			})
		}
		finished <- group.Wait()
	}()
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	var progressErr error
	for {
		select {
		case o, more := <-outcomes:
			if !more {
				return errors.Join(<-finished, progressErr)
			}
			tally.Add(o)
		case <-ticker.C:
			if progressErr != nil {
				continue
			}
			// An entry that somebody deleted or changed is not worked on.
			if progressErr = progress(); progressErr != nil {
				cancel()
			}
		}
	}
}

// set makes one error as the entry asks. The write holds only against the very
// object that was read, so a change that somebody else makes at the same time
// is never lost: the error is read again and judged anew.
func (r *JobErrorResolutionReconciler) set(ctx context.Context, entry *joberrorv1.JobErrorResolution, ref jobref.Ref, t target, snapshot string) (resolution.Outcome, error) {
	if t.found == nil {
		if r.setAtOnce(ctx, entry, ref, t, snapshot) {
			return resolution.Outcome{Name: t.name, Result: resolution.Updated}, nil
		}
		found, err := r.read(ctx, entry, t.name, snapshot)
		switch {
		case err != nil:
			return resolution.Outcome{}, err
		case found == nil:
			return resolution.NotFound(t.name), nil
		case !ref.Owns(found):
			return resolution.OtherJob(t.name), nil
		}
		t.found = slim(found)
	}
	je := t.found
	for {
		if done, o := settled(entry, t, je); done {
			return o, nil
		}
		err := r.patchResolved(ctx, entry, je)
		switch {
		case err == nil:
			return resolution.Outcome{Name: t.name, Result: resolution.Updated}, nil
		case apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsBadRequest(err):
			return resolution.Failure(t.name, joberrorv1.FailureRejected, err.Error()), nil
		case !apierrors.IsConflict(err) && !apierrors.IsNotFound(err):
			return resolution.Outcome{}, err
		}
		je = &joberrorv1.JobError{}
		err = r.live.Get(ctx, types.NamespacedName{Namespace: entry.Namespace, Name: t.name}, je)
		if apierrors.IsNotFound(err) {
			return resolution.NotFound(t.name), nil
		}
		if err != nil {
			return resolution.Outcome{}, err
		}
	}
}

// setAtOnce sets a named error without reading it first, where the cache knows
// how it was when the request was made. Where it does not, or the write fails,
// nothing is lost: the error is read and judged.
func (r *JobErrorResolutionReconciler) setAtOnce(ctx context.Context, entry *joberrorv1.JobErrorResolution, ref jobref.Ref, t target, snapshot string) bool {
	je := r.atSnapshot(ctx, entry, t.name, snapshot)
	if je == nil || !ref.Owns(je) || je.Spec.Resolved == entry.Spec.WantsResolved() {
		return false
	}
	return r.patchResolved(ctx, entry, slim(je)) == nil
}

// settled tells whether there is nothing left to write: the error is as asked,
// or somebody set it otherwise after the request was made.
func settled(entry *joberrorv1.JobErrorResolution, t target, je *joberrorv1.JobError) (bool, resolution.Outcome) {
	mark := attribution.Of(je)
	switch {
	case je.Spec.Resolved == entry.Spec.WantsResolved() && mark.Resolution == resolutionOf(entry):
		return true, resolution.Outcome{Name: t.name, Result: resolution.Updated}
	case je.Spec.Resolved == entry.Spec.WantsResolved():
		return true, resolution.Outcome{Name: t.name, Result: resolution.Unchanged}
	case je.UID != t.found.UID, mark.Fresh(t.found.Generation, je.Generation):
		return true, resolution.Outcome{Name: t.name, Result: resolution.Unchanged}
	default:
		return false, resolution.Outcome{}
	}
}

func resolutionOf(entry *joberrorv1.JobErrorResolution) attribution.Resolution {
	return attribution.Resolution{Name: entry.Name, UID: entry.UID}
}

func (r *JobErrorResolutionReconciler) patchResolved(ctx context.Context, entry *joberrorv1.JobErrorResolution, je *joberrorv1.JobError) error {
	changed := je.DeepCopy()
	changed.Spec.Resolved = entry.Spec.WantsResolved()
	attribution.Mark{By: entry.Spec.RequestedBy, Generation: je.Generation + 1, Resolution: resolutionOf(entry)}.Put(changed)
	return r.writer.Patch(ctx, je, changed)
}
