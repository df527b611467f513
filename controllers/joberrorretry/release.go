// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorretry

import (
	"context"
	"encoding/json"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/retry"
	"joberror.io/operator/internal/retryplan"
)

// release lets the new Job run, after it has told the Job which indexes have succeeded.
func (r *Reconciler) release(ctx context.Context, jet *joberrorv1.JobErrorRetry) error {
	job := &batchv1.Job{}
	err := r.APIReader.Get(ctx, types.NamespacedName{Namespace: jet.Namespace, Name: jet.Status.Job.Name}, job)
	if apierrors.IsNotFound(err) || err == nil && job.UID != jet.Status.Job.UID {
		return r.lose(ctx, jet)
	}
	if err != nil {
		return fmt.Errorf("read Job %s: %w", jet.Status.Job.Name, err)
	}
	before := jet.DeepCopy()
	message := fmt.Sprintf("Job %s runs", job.Name)
	if retry.IsHeld(job) {
		seeded, err := r.seed(ctx, job, jet.Status.CompletedIndexes)
		if err == nil {
			err = r.patchJob(ctx, job, retry.Release(job))
		}
		if refusal := retryplan.RefusalOf(fmt.Sprintf("start Job %s", job.Name), err); refusal != nil {
			return r.refuse(ctx, jet, refusal)
		}
		if err != nil {
			return notStarted(job, err)
		}
		if !seeded {
			jet.Status.CompletedIndexes = ""
			message += "; it runs every index, because the operator has no right to patch jobs/status"
		}
	}
	jet.Status.StartedAt = &metav1.Time{Time: r.Clock.Now()}
	r.setRunning(jet, message)
	return r.patchStatus(ctx, before, jet)
}

// notStarted returns the error of a Job that was not released. The Job controller writes to the
// Job at the same time.
func notStarted(job *batchv1.Job, err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return requeue.ErrStaleCache
	}
	return fmt.Errorf("start Job %s: %w", job.Name, err)
}

// seed tells a held Job which of its indexes have succeeded. It returns false if the operator
// lacks the right to do that.
func (r *Reconciler) seed(ctx context.Context, job *batchv1.Job, completed string) (bool, error) {
	if completed == "" {
		return true, nil
	}
	err := r.patchJob(ctx, job, map[string]any{
		"metadata": map[string]any{"uid": job.UID},
		"status":   map[string]any{"completedIndexes": completed, "succeeded": retry.CountIndexes(completed, *job.Spec.Completions)},
	}, "status")
	if apierrors.IsForbidden(err) {
		return false, nil
	}
	return true, err
}

// patchJob patches a Job or a subresource of it. A conflict means that another Job has the name
// by now.
func (r *Reconciler) patchJob(ctx context.Context, job *batchv1.Job, patch map[string]any, subresource ...string) error {
	data, err := json.Marshal(patch)
	if err != nil {
		return err
	}
	raw := client.RawPatch(types.MergePatchType, data)
	if len(subresource) > 0 {
		return r.Cached.SubResource(subresource[0]).Patch(ctx, job.DeepCopy(), raw)
	}
	return r.Cached.Patch(ctx, job.DeepCopy(), raw)
}
