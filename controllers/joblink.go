// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/retention"
)

// link is what is known of a JobError's Job.
type link struct {
	// job is the Job; nil where it does not exist.
	job *batchv1.Job
	// known is the Job as the JobError remembers it; nil where it was never
	// seen.
	known *joberrorv1.JobReference
}

// retention is the Job's own retention, or what it last was.
func (l link) retention() string {
	if l.job == nil && l.known != nil {
		return l.known.Retention
	}
	return retention.OfJob(l.job)
}

// reference is the Job as the JobError is to remember it.
func (l link) reference() *joberrorv1.JobReference {
	if l.job == nil {
		return l.known
	}
	return &joberrorv1.JobReference{Name: l.job.Name, UID: l.job.UID, Retention: retention.OfJob(l.job)}
}

// object is the Job for an Event to refer to; nil where it does not exist.
func (l link) object() runtime.Object {
	if l.job == nil {
		return nil
	}
	return l.job
}

// condition is the condition Linked.
func (l link) condition() metav1.Condition {
	switch {
	case l.job != nil:
		return metav1.Condition{Status: metav1.ConditionTrue, Reason: joberrorv1.ReasonJobFound,
			Message: "Job " + l.job.Name + " exists"}
	case l.known != nil:
		return metav1.Condition{Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonJobDeleted,
			Message: "Job " + l.known.Name + " was deleted; the error is kept until it expires"}
	default:
		return metav1.Condition{Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonJobNotFound,
			Message: "no Job has this name or UID yet"}
	}
}

// findLink looks for the Job of a JobError: the one that it is linked to, or
// the one that its _jobId names.
func (r *JobErrorReconciler) findLink(ctx context.Context, je *joberrorv1.JobError) (link, error) {
	known := joblink.Linked(je)
	if known == nil && je.Labels[joberrorv1.LabelCaptured] != "" {
		// It is of a CronJob, which may have the name of a Job.
		return link{}, nil
	}
	if known == nil {
		job, err := jobref.Find(ctx, r.cached, je.Namespace, je.Spec.JobID)
		return link{job: job}, err
	}
	job, err := jobref.FindUID(ctx, r.cached, je.Namespace, known.UID)
	if err != nil || job != nil || je.Status.Job != nil {
		return link{job: job, known: known}, err
	}
	if je.Labels[joberrorv1.LabelCaptured] != "" {
		// The operator knew the Job when it captured the error. A Job with this name
		// now is another one.
		return link{known: known}, nil
	}
	// All that names a Job is an owner reference to one that does not exist, or a
	// label. A Job with this name that predates the record disproves it: the record
	// was restored from a backup.
	since := je.CreationTimestamp.Time
	if je.Labels[joberrorv1.LabelJobUID] != "" {
		since = retention.CreatedAt(je)
	}
	named, err := jobref.Find(ctx, r.cached, je.Namespace, je.Spec.JobID)
	if named != nil && named.CreationTimestamp.Time.Before(since) {
		return link{job: named}, err
	}
	return link{known: known}, err
}

// applyLink puts the link's label and owner references on the JobError.
func (r *JobErrorReconciler) applyLink(ctx context.Context, je *joberrorv1.JobError, link link) error {
	job := link.job
	if job != nil && je.Status.Job != nil && !joblink.HasOwner(je, job.UID) {
		// Somebody took the reference away, most likely the garbage collector,
		// which may know earlier than the cache that the Job is gone.
		exists, err := r.jobExists(ctx, client.ObjectKeyFromObject(job), job.UID)
		if err != nil {
			return err
		}
		if !exists {
			job = nil
		}
	}
	if job == nil && len(je.OwnerReferences) == 0 {
		return nil
	}
	namespace, err := joblink.Namespace(ctx, r.cached, je.Namespace)
	if apierrors.IsNotFound(err) {
		return errEarly
	}
	if err != nil {
		return err
	}
	switch {
	case job != nil:
		joblink.Apply(je, job, namespace.UID)
	case !cascading(je):
		joblink.Keep(je, namespace.UID)
	}
	return nil
}

// cascading tells whether a JobError belongs to a Job that takes it along: one
// without that policy is never the only owner.
func cascading(je *joberrorv1.JobError) bool {
	known := je.Status.Job
	return known != nil && joblink.HasOwner(je, known.UID)
}

// jobExists asks the API server whether there is a Job that is not being deleted.
func (e *environment) jobExists(ctx context.Context, key types.NamespacedName, uid types.UID) (bool, error) {
	current := &metav1.PartialObjectMetadata{}
	current.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("Job"))
	err := e.live.Get(ctx, key, current)
	if apierrors.IsNotFound(err) {
		return false, nil
	}
	return current.UID == uid && current.DeletionTimestamp.IsZero(), err
}

// mentions returns the keys of the JobErrors that name a job by this id.
func (r *JobErrorReconciler) mentions(ctx context.Context, namespace, id string) []types.NamespacedName {
	errors, err := jobref.Mentions(ctx, r.cached, namespace, id)
	return keysOf(ctx, errors, err)
}

// ofCronJob returns the keys of the JobErrors that were captured of a CronJob.
func (r *JobErrorReconciler) ofCronJob(ctx context.Context, namespace, name string) []types.NamespacedName {
	errors, err := jobref.OfCronJob(ctx, r.cached, namespace, name)
	return keysOf(ctx, errors, err)
}

func keysOf(ctx context.Context, errors []joberrorv1.JobError, err error) []types.NamespacedName {
	if err != nil {
		// The cache answers a list by an index that exists; it can only fail
		// when it stops.
		log.FromContext(ctx).Error(err, "The errors of a Job were not found")
		return nil
	}
	keys := make([]types.NamespacedName, len(errors))
	for i := range errors {
		keys[i] = client.ObjectKeyFromObject(&errors[i])
	}
	return keys
}
