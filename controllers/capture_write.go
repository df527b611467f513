// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/retention"
)

// causeFailedAgain is the reason for which a captured error is reopened.
const causeFailedAgain = "FailedAgain"

// record makes the JobError of a group, or counts in the one that there is.
func (r *CaptureReconciler) record(ctx context.Context, job *batchv1.Job, exists bool, namespace types.UID, g *group) error {
	je := &joberrorv1.JobError{}
	err := r.cached.Get(ctx, types.NamespacedName{Namespace: job.Namespace, Name: g.name}, je)
	switch {
	case apierrors.IsNotFound(err):
		return r.make(ctx, job, exists, namespace, g)
	case err != nil:
		return err
	case g.record.Report == nil && je.Labels[joberrorv1.LabelCaptured] == "":
		log.FromContext(ctx).Info("A failure of a Job was not recorded: a JobError has its name and is not captured", "job", job.Name, "jobError", je.Name)
		r.settle(job, g)
		return nil
	default:
		return r.count(ctx, job, je, g)
	}
}

// make creates the JobError of a group for its first sighting that is not past its
// retention.
func (r *CaptureReconciler) make(ctx context.Context, job *batchv1.Job, exists bool, namespace types.UID, g *group) error {
	if r.dropExpired(job, g); len(g.seen) == 0 {
		return nil
	}
	if tail := r.logs.message(ctx, job.Namespace, g.record); tail != "" {
		g.record.Message = tail
	}
	je := g.record.JobError(job, userOf(job))
	switch {
	case g.record.CronJob:
		// There is no Job to link to.
	case exists:
		joblink.Apply(je, job, namespace)
		metav1.SetMetaDataLabel(&je.ObjectMeta, joberrorv1.LabelJobUID, string(job.UID))
	default:
		joblink.Remember(je, job, namespace)
	}
	joblink.RememberRetention(je, job)
	if g.record.Report != nil && r.expired(je, job) {
		// What a run reports is news, however old its subject is.
		je.Spec.CreatedAt = g.record.At.UTC().Format(time.RFC3339)
	}
	err := r.writer.Create(ctx, je)
	switch {
	case apierrors.IsAlreadyExists(err):
		return errEarly
	case namespaceEnds(err):
		r.settle(job, g)
		return nil
	case apierrors.IsInvalid(err):
		// It would be no more valid the next time.
		log.FromContext(ctx).Error(err, "A failure of a Job was not recorded", "job", job.Name, "code", g.record.Code)
		r.settle(job, g)
		return nil
	case err != nil:
		return err
	}
	if g.record.OfPod && !g.over {
		r.tally.add(job.UID, g.name)
	}
	return r.recorded(job, g, 0)
}

// dropExpired takes the sightings out of a group whose record would be past its
// retention when it is made.
func (r *CaptureReconciler) dropExpired(job *batchv1.Job, g *group) {
	seen, counted := g.seen, g.counted
	g.seen, g.counted = nil, nil
	for i, f := range counted {
		if r.expired(&joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{CreatedAt: f.At.UTC().Format(time.RFC3339)}}, job) {
			r.pending.done(client.ObjectKeyFromObject(job), job.UID, seen[i].Failure)
			continue
		}
		g.seen, g.counted = append(g.seen, seen[i]), append(g.counted, f)
	}
	if len(g.counted) > 0 {
		g.record = g.counted[0]
	}
}

// expired reports whether a record is past its retention.
func (r *CaptureReconciler) expired(je *joberrorv1.JobError, job *batchv1.Job) bool {
	return !r.Retention.ExpiresAt(je, retention.OfJob(job)).After(r.clock.Now())
}

// count adds the sightings of a group to the JobError that there is, and reopens
// it where one of them came after it was resolved.
func (r *CaptureReconciler) count(ctx context.Context, job *batchv1.Job, je *joberrorv1.JobError, g *group) error {
	until, err := r.dealtWith(ctx, job, je)
	if err != nil {
		return err
	}
	before := je.Status.DeepCopy()
	failure.CountMarked(je, &je.Status)
	var counted []sighting
	again := -1
	for i, f := range g.counted {
		if !f.Count(&je.Status, r.leading) {
			continue
		}
		counted = append(counted, g.seen[i])
		if f.Reopens(je, until) {
			again = i
		}
	}
	if len(counted) == 0 {
		r.settle(job, g)
		return nil
	}
	if again >= 0 {
		return r.reopen(ctx, job, je, g, again)
	}
	if err := r.writeStatus(ctx, je, before); err != nil {
		return err
	}
	for _, s := range counted {
		r.observe(job, g, s)
	}
	r.settle(job, g)
	return nil
}

// dealtWith is until when what happened is dealt with, where an error is resolved.
// The success of a later run says nothing of what failed after that one had begun;
// with its own a Job is done, whatever a pod that it no longer needs does.
func (r *CaptureReconciler) dealtWith(ctx context.Context, job *batchv1.Job, je *joberrorv1.JobError) (time.Time, error) {
	if je.Status.ResolvedAt == nil {
		return time.Time{}, nil
	}
	cause := attribution.Of(je).Cause
	if cause.Reason != joberrorv1.ReasonJobSucceeded {
		return je.Status.ResolvedAt.Time, nil
	}
	if cause.Name == job.Name {
		return r.clock.Now(), nil
	}
	run, err := jobref.Find(ctx, r.cached, job.Namespace, cause.Name)
	if err != nil || run == nil {
		return je.Status.ResolvedAt.Time, err
	}
	return run.CreationTimestamp.Time, nil
}

// reopen reopens a resolved error for one of the sightings of a group. That one
// is counted with the status that tells of it: before, an earlier success would
// seem to have come after it.
func (r *CaptureReconciler) reopen(ctx context.Context, job *batchv1.Job, je *joberrorv1.JobError, g *group, which int) error {
	if je.Status.ObservedGeneration != je.Generation {
		// When it was resolved is not known yet.
		return errEarly
	}
	changed := je.DeepCopy()
	changed.Spec.Resolved = false
	g.counted[which].Mark(changed)
	cause := attribution.Cause{Reason: causeFailedAgain, Name: g.counted[which].Source}
	if g.record.Report != nil {
		cause.Reason = attribution.ReportedAgain
	}
	attribution.Mark{By: attribution.OperatorUser, Generation: je.Generation + 1, Cause: cause}.Put(changed)
	if err := r.writer.Patch(ctx, je, changed); err != nil {
		return stale(err)
	}
	return r.recorded(job, g, which)
}

// recorded takes the one sighting out that an error was made or reopened for. The
// others are counted once the cache has that.
func (r *CaptureReconciler) recorded(job *batchv1.Job, g *group, which int) error {
	r.observe(job, g, g.seen[which])
	if len(g.seen) > 1 {
		return errEarly
	}
	return nil
}

// settle takes the sightings of a group out.
func (r *CaptureReconciler) settle(job *batchv1.Job, g *group) {
	for _, s := range g.seen {
		r.pending.done(client.ObjectKeyFromObject(job), job.UID, s.Failure)
	}
}

// observe takes a sighting out that is recorded now, and measures it.
func (r *CaptureReconciler) observe(job *batchv1.Job, g *group, s sighting) {
	r.pending.done(client.ObjectKeyFromObject(job), job.UID, s.Failure)
	switch {
	case g.over:
		metrics.Suppressed(job.Namespace)
	case g.record.Report != nil:
		metrics.Reported(job.Namespace, s.Times)
	default:
		metrics.Captured(job.Namespace, g.record.Class(), g.record.Code, r.clock.Since(s.since))
	}
}

// userOf is who made a Job: by its annotation, else by the tool that wrote it
// first, else nobody is known but the operator itself.
func userOf(job *batchv1.Job) string {
	if user := job.Annotations[joberrorv1.AnnotationUserID]; user != "" {
		return user
	}
	if len(job.ManagedFields) > 0 {
		return job.ManagedFields[0].Manager
	}
	return attribution.OperatorUser
}
