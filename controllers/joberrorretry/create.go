// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorretry

import (
	"context"
	"errors"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/retry"
	"joberror.io/operator/internal/retryplan"
)

// create creates the Job of a retry, suspended, and remembers it in the status. If the retry is
// refused, create completes it.
func (r *Reconciler) create(ctx context.Context, jet *joberrorv1.JobErrorRetry) error {
	planned, refusal, err := r.Planner.Plan(ctx, jet)
	if err != nil {
		return err
	}
	if planned == nil {
		return r.refuse(ctx, jet, refusal)
	}
	job := planned.Existing
	if job == nil {
		if job, err = r.Planner.CreateJob(ctx, planned); err != nil {
			return r.notCreated(ctx, jet, planned, err)
		}
		log.FromContext(ctx).Info("Created the Job of a retry", "newJob", job.Name, "attempt", planned.Attempt, "requestedBy", jet.Spec.RequestedBy)
		r.announceCreated(jet, planned, job)
	}
	before := jet.DeepCopy()
	jet.Status.Job = &joberrorv1.RetryJob{Name: job.Name, UID: job.UID}
	jet.Status.Root, jet.Status.Attempt = &planned.Root, retry.Attempt(job)
	jet.Status.TemplateFrom, jet.Status.CompletedIndexes = planned.From, planned.CompletedIndexes
	r.setRunning(jet, fmt.Sprintf("Job %s was created and is about to start", job.Name))
	return r.patchStatus(ctx, before, jet)
}

// notCreated handles the API server's refusal of a new Job. A refusal for good completes the
// retry: somebody waits for its answer, and a Job that starts hours later surprises them.
func (r *Reconciler) notCreated(ctx context.Context, jet *joberrorv1.JobErrorRetry, planned *retryplan.Planned, err error) error {
	switch refusal := retryplan.RefusalOf(fmt.Sprintf("create Job %s", planned.Name()), err); {
	case errors.Is(err, retryplan.ErrOvertaken):
		// The next plan sees the Job of the other retry.
		return requeue.ErrStaleCache
	case refusal != nil:
		return r.refuse(ctx, jet, refusal)
	default:
		return fmt.Errorf("create Job %s: %w", planned.Name(), err)
	}
}

// announceCreated records an Event on the Job that failed.
func (r *Reconciler) announceCreated(jet *joberrorv1.JobErrorRetry, planned *retryplan.Planned, job *batchv1.Job) {
	if planned.Failed == nil {
		return
	}
	r.Recorder.Eventf(planned.Failed, jet, corev1.EventTypeNormal, "Retried", "Retry",
		"Job %s runs again as %s, requested by %s with JobErrorRetry %s", planned.Failed.Name, job.Name, requester(jet), jet.Name)
}
