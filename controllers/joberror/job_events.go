// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"maps"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/owner"
)

// errorsOfJob returns the keys of the errors that the change of a Job can affect. before is
// nil for a new Job, and job is nil for a deleted one, which affects the same errors.
func (r *Reconciler) errorsOfJob(ctx context.Context, before, job *batchv1.Job) []types.NamespacedName {
	if job == nil {
		before, job = nil, before
	}
	relinks := before == nil || changesLink(before, job)
	succeeds := !completionTime(job).IsZero() && (relinks || completionTime(before).IsZero())
	var keys []types.NamespacedName
	if succeeds {
		r.completed.add(job)
		keys = keysOf(r.ofEarlierRuns(ctx, job), awaitsSuccess)
	}
	switch {
	case relinks:
		keys = append(keys, keysOf(r.mentions(ctx, job), all)...)
	case succeeds:
		keys = append(keys, keysOf(r.mentions(ctx, job), awaitsSuccess)...)
	}
	return keys
}

// changesLink reports whether an update of a Job changes its errors, resolved or not. The
// many status updates of a running Job do not.
func changesLink(before, job *batchv1.Job) bool {
	return before.UID != job.UID || !maps.Equal(before.Annotations, job.Annotations) ||
		before.DeletionTimestamp.IsZero() != job.DeletionTimestamp.IsZero()
}

// awaitsSuccess reports whether a success may resolve an error: a captured one that is open,
// unless it is opted out.
func awaitsSuccess(je *joberrorv1.JobError) bool {
	return !je.Spec.Resolved && je.Labels[joberrorv1.LabelCaptured] != "" && !capturepolicy.OptedOut(joberrorv1.AnnotationAutoResolve, je)
}

func all(*joberrorv1.JobError) bool { return true }

// mentions returns the errors that name a Job or are linked to it.
func (r *Reconciler) mentions(ctx context.Context, job *batchv1.Job) []joberrorv1.JobError {
	byName, err := jobref.Mentions(ctx, r.Cached, job.Namespace, job.Name)
	logListError(ctx, err)
	byUID, err := jobref.Mentions(ctx, r.Cached, job.Namespace, string(job.UID))
	logListError(ctx, err)
	return append(byName, byUID...)
}

// ofEarlierRuns returns the errors of a CronJob that last occurred before this run of it was
// created.
func (r *Reconciler) ofEarlierRuns(ctx context.Context, run *batchv1.Job) []joberrorv1.JobError {
	cronJob := owner.CronJob(run)
	if cronJob == "" {
		return nil
	}
	errs, err := jobref.CronJobErrors(ctx, r.Cached, run.Namespace, cronJob)
	logListError(ctx, err)
	return slices.DeleteFunc(errs, func(je joberrorv1.JobError) bool { return !startedAfter(&je, run.CreationTimestamp) })
}

// logListError logs that errors can't be listed. A list from the cache by an existing index
// fails only when the cache stops.
func logListError(ctx context.Context, err error) {
	if err != nil {
		log.FromContext(ctx).Error(err, "The errors of a Job can't be listed")
	}
}

// keysOf returns the keys of the errors that match.
func keysOf(errs []joberrorv1.JobError, matches func(*joberrorv1.JobError) bool) []types.NamespacedName {
	var keys []types.NamespacedName
	for i := range errs {
		if matches(&errs[i]) {
			keys = append(keys, client.ObjectKeyFromObject(&errs[i]))
		}
	}
	return keys
}
