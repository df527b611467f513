// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capture"
	"joberror.io/operator/internal/joblink"
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
	default:
		return r.count(ctx, job, je, g)
	}
}

// make creates the JobError of a group for its first sighting. The others are
// counted once the cache has it.
func (r *CaptureReconciler) make(ctx context.Context, job *batchv1.Job, exists bool, namespace types.UID, g *group) error {
	if tail := r.logs.message(ctx, job.Namespace, g.record); tail != "" {
		g.record.Message = tail
	}
	je := g.record.JobError(job, userOf(job))
	if exists {
		joblink.Apply(je, job, namespace)
		metav1.SetMetaDataLabel(&je.ObjectMeta, joberrorv1.LabelJobUID, string(job.UID))
	} else {
		joblink.Remember(je, job, namespace)
	}
	first := g.seen[0]
	if !r.Retention.ExpiresAt(je, retention.OfJob(job)).After(r.clock.Now()) {
		r.settle(job, g, false)
		return nil
	}
	err := r.writer.Create(ctx, je)
	switch {
	case apierrors.IsAlreadyExists(err):
		return errEarly
	case namespaceEnds(err):
		r.settle(job, g, false)
		return nil
	case apierrors.IsInvalid(err):
		// It would be no more valid the next time.
		log.FromContext(ctx).Error(err, "A failure of a Job was not recorded", "job", job.Name, "code", g.record.Code)
		r.settle(job, g, false)
		return nil
	case err != nil:
		return err
	}
	if g.record.OfPod && !g.over {
		r.tally.add(job.UID, g.name)
	}
	r.observe(job, g, first)
	if len(g.seen) > 1 {
		return errEarly
	}
	return nil
}

// count adds the sightings of a group to the JobError that there is, and reopens
// it where one of them came after it was resolved.
func (r *CaptureReconciler) count(ctx context.Context, job *batchv1.Job, je *joberrorv1.JobError, g *group) error {
	if g.record.Report != nil {
		// A report that is made again says nothing new.
		r.settle(job, g, false)
		return nil
	}
	before := je.Status.DeepCopy()
	capture.CountFirst(je, &je.Status)
	counted, again := false, false
	for _, f := range g.counted {
		if f.Count(&je.Status) {
			counted = true
			again = again || je.Spec.Resolved && (je.Status.ResolvedAt == nil || f.At.After(je.Status.ResolvedAt.Time))
		}
	}
	if !counted {
		r.settle(job, g, false)
		return nil
	}
	if again {
		return r.reopen(ctx, je, g)
	}
	if err := r.writeStatus(ctx, je, before); err != nil {
		return err
	}
	r.settle(job, g, true)
	return nil
}

// reopen reopens a resolved error. The occurrence is counted after that: until
// then it is one that the error must be reopened for.
func (r *CaptureReconciler) reopen(ctx context.Context, je *joberrorv1.JobError, g *group) error {
	if je.Status.ObservedGeneration != je.Generation {
		// When it was resolved is not known yet.
		return errEarly
	}
	changed := je.DeepCopy()
	changed.Spec.Resolved = false
	attribution.Mark{
		By: attribution.OperatorUser, Generation: je.Generation + 1,
		Cause: attribution.Cause{Reason: causeFailedAgain, Name: g.record.Source},
	}.Put(changed)
	if err := r.writer.Patch(ctx, je, changed); err != nil {
		return stale(err)
	}
	return errEarly
}

// settle takes the sightings of a group out; news says that they were counted.
func (r *CaptureReconciler) settle(job *batchv1.Job, g *group, news bool) {
	for _, s := range g.seen {
		if news {
			r.observe(job, g, s)
			continue
		}
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
		metrics.Reported(job.Namespace)
	default:
		metrics.Captured(job.Namespace, g.record.Code, r.clock.Since(s.since))
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
