// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorretry

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retry"
)

// finish completes a retry whose Job has ended. If the Job succeeded, finish resolves the
// errors of the lineage first. While the Job runs, finish does nothing: the watch brings the
// next reconcile.
func (r *Reconciler) finish(ctx context.Context, jet *joberrorv1.JobErrorRetry) error {
	ending, exists, err := r.ending(ctx, jet)
	switch {
	case err != nil:
		return err
	case !ending.Ended && exists:
		return nil
	case !ending.Ended:
		return r.lose(ctx, jet)
	case !ending.Succeeded:
		return r.complete(ctx, jet, outcome{
			reason: joberrorv1.ReasonRetryFailed, message: fmt.Sprintf("Job %s failed: %s", jet.Status.Job.Name, ending.Message),
		})
	}
	resolved, err := r.resolveLineage(ctx, jet, ending)
	if err != nil {
		return err
	}
	log.FromContext(ctx).Info("A retry succeeded", "newJob", jet.Status.Job.Name, "resolved", resolved)
	before := jet.DeepCopy()
	jet.Status.Resolved = resolved
	return r.completeFrom(ctx, before, jet, outcome{
		succeeded: true, reason: joberrorv1.ReasonRetrySucceeded,
		message: fmt.Sprintf("Job %s succeeded; errors that it resolved: %d", jet.Status.Job.Name, resolved),
	})
}

// stillRuns reports whether the new Job in the cache has not ended. That holds for most of its
// events, and saves reads from the API server.
func (r *Reconciler) stillRuns(ctx context.Context, jet *joberrorv1.JobErrorRetry) (bool, error) {
	if !hasStarted(jet) || !hasJob(jet) {
		return false, nil
	}
	job := &batchv1.Job{}
	err := r.Cached.Get(ctx, types.NamespacedName{Namespace: jet.Namespace, Name: jet.Status.Job.Name}, job)
	if err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return job.UID == jet.Status.Job.UID && !retry.EndingOf(job).Ended, nil
}

// ending returns how the new Job ended, and whether it still exists.
func (r *Reconciler) ending(ctx context.Context, jet *joberrorv1.JobErrorRetry) (ending retry.Ending, exists bool, err error) {
	if ending := r.endings.of(jet.Status.Job.UID); ending.Ended {
		return ending, true, nil
	}
	job := &batchv1.Job{}
	err = r.APIReader.Get(ctx, types.NamespacedName{Namespace: jet.Namespace, Name: jet.Status.Job.Name}, job)
	switch {
	case apierrors.IsNotFound(err), err == nil && job.UID != jet.Status.Job.UID:
		// The watch may have shown the end just now.
		return r.endings.of(jet.Status.Job.UID), false, nil
	case err != nil:
		return retry.Ending{}, false, fmt.Errorf("read Job %s: %w", jet.Status.Job.Name, err)
	default:
		return retry.EndingOf(job), true, nil
	}
}

// lose completes a retry whose Job was deleted before anybody saw how it ended.
func (r *Reconciler) lose(ctx context.Context, jet *joberrorv1.JobErrorRetry) error {
	return r.complete(ctx, jet, outcome{
		reason: joberrorv1.ReasonRetryLost, message: fmt.Sprintf("Job %s was deleted before it ended", jet.Status.Job.Name),
	})
}
