// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/panics"
	"joberror.io/operator/internal/resolution"
)

// apply sets all targets, several at the same time, and writes the progress. It returns
// the first error that may pass; the resolution is then carried out again.
func (r *Reconciler) apply(ctx context.Context, q request, p *progress) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	finished := make(chan error, 1)
	go func() { finished <- r.setAll(ctx, q, p) }()
	ticker := time.NewTicker(progressInterval)
	defer ticker.Stop()
	var progressErr error
	for {
		select {
		case err := <-finished:
			return errors.Join(err, progressErr)
		case <-ticker.C:
			if progressErr != nil {
				continue
			}
			// A resolution that somebody deleted or changed is not continued.
			if progressErr = p.write(ctx); progressErr != nil {
				cancel()
			}
		}
	}
}

// setAll sets the targets and adds their outcomes to the progress. It holds one page of
// errors and maxTargets targets at most.
func (r *Reconciler) setAll(ctx context.Context, q request, p *progress) error {
	group, ctx := errgroup.WithContext(ctx)
	targets := make(chan target, maxTargets)
	group.Go(func() error {
		defer close(targets)
		return panics.Recover(ctx, func() error { return r.sendTargets(ctx, q, targets) })
	})
	for range r.Concurrency {
		group.Go(func() error {
			return panics.Recover(ctx, func() error { return r.setEach(ctx, q, targets, p) })
		})
	}
	return group.Wait()
}

// sendTargets sends the targets until the context ends.
func (r *Reconciler) sendTargets(ctx context.Context, q request, targets chan<- target) error {
	for t, err := range r.targets(ctx, q) {
		if err != nil {
			return fmt.Errorf("list the errors of job %s: %w", q.Spec.JobID, err)
		}
		select {
		case targets <- t:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// setEach sets the targets that it receives.
func (r *Reconciler) setEach(ctx context.Context, q request, targets <-chan target, p *progress) error {
	for t := range targets {
		outcome, err := r.set(ctx, q, t)
		if err != nil {
			return fmt.Errorf("set JobError %s: %w", t.name, err)
		}
		p.add(outcome)
	}
	return nil
}

// set sets one error as requested. Each write holds only for the version that was read,
// so a change that somebody else makes at the same time is never lost: the error is
// read and judged again.
func (r *Reconciler) set(ctx context.Context, q request, t target) (resolution.Outcome, error) {
	if t.snapshot == nil {
		if r.setUnread(ctx, q, t) {
			return resolution.Outcome{Name: t.name, Result: resolution.Updated}, nil
		}
		je, exact, err := r.readSnapshot(ctx, q, t.name)
		switch {
		case err != nil:
			return resolution.Outcome{}, err
		case je == nil, !exact && je.CreationTimestamp.After(q.CreationTimestamp.Time):
			return resolution.NotFound(t.name), nil
		case !q.ref.Owns(je):
			return resolution.OtherJob(t.name), nil
		case !exact && overtaken(q, je):
			return resolution.Outcome{Name: t.name, Result: resolution.Unchanged}, nil
		}
		t.snapshot = trim(je)
	}
	je := r.latestKnown(ctx, q, t.snapshot)
	for {
		if done, outcome := isDone(q, t, je); done {
			return outcome, nil
		}
		err := r.patchResolved(ctx, q, je)
		switch {
		case err == nil:
			return resolution.Outcome{Name: t.name, Result: resolution.Updated}, nil
		case apierrors.IsInvalid(err), apierrors.IsForbidden(err), apierrors.IsBadRequest(err):
			return resolution.Failure(t.name, joberrorv1.FailureRejected, rejection(err)), nil
		case !apierrors.IsConflict(err) && !apierrors.IsNotFound(err):
			return resolution.Outcome{}, err
		}
		je = &joberrorv1.JobError{}
		err = r.APIReader.Get(ctx, q.key(t.name), je)
		if apierrors.IsNotFound(err) {
			return resolution.NotFound(t.name), nil
		}
		if err != nil {
			return resolution.Outcome{}, err
		}
	}
}

// rejection returns the API server's reason to refuse a write.
func rejection(err error) string {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return status.Status().Message
	}
	return err.Error()
}

// setUnread sets a named error without reading it from the API server first, if the
// cache knows it as it was when the request was made. It reports whether that worked;
// otherwise the error is read and judged.
func (r *Reconciler) setUnread(ctx context.Context, q request, t target) bool {
	je := r.cached(ctx, q, t.name)
	if je == nil || !isUpTo(je, q.snapshot) || !q.ref.Owns(je) || je.Spec.Resolved == q.Spec.WantsResolved() {
		return false
	}
	return r.patchResolved(ctx, q, trim(je)) == nil
}

// isDone reports whether there is nothing left to write: the error is as requested, or
// somebody changed it after the request was made.
func isDone(q request, t target, je *joberrorv1.JobError) (bool, resolution.Outcome) {
	mark := attribution.MarkOf(je)
	asRequested := je.Spec.Resolved == q.Spec.WantsResolved()
	switch {
	case asRequested && mark.Resolution == q.id():
		return true, resolution.Outcome{Name: t.name, Result: resolution.Updated}
	case asRequested, je.UID != t.snapshot.UID, mark.Fresh(t.snapshot.Generation, je.Generation):
		return true, resolution.Outcome{Name: t.name, Result: resolution.Unchanged}
	default:
		return false, resolution.Outcome{}
	}
}

func (r *Reconciler) patchResolved(ctx context.Context, q request, je *joberrorv1.JobError) error {
	changed := je.DeepCopy()
	changed.Spec.Resolved = q.Spec.WantsResolved()
	attribution.Mark{By: q.Spec.RequestedBy, Generation: je.Generation + 1, Resolution: q.id()}.Put(changed)
	return r.Writer.Patch(ctx, je, changed)
}
