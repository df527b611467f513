// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/retention"
)

// link holds what is known about a JobError's Job.
type link struct {
	// job is the Job; nil if it does not exist.
	job *batchv1.Job
	// known is the Job as the JobError remembers it; nil if it was never seen.
	known *joberrorv1.JobReference
	// refusals say which annotations and labels of the Job are not honored.
	refusals []retention.Refusal
}

// retention returns the Job's own retention, or the last known one if the Job is gone.
func (l link) retention() string {
	if l.job == nil && l.known != nil {
		return l.known.Retention
	}
	return retention.Requested(l.job)
}

// reference returns the Job for the JobError's status.
func (l link) reference() *joberrorv1.JobReference {
	if l.job == nil {
		return l.known
	}
	return &joberrorv1.JobReference{Name: l.job.Name, UID: l.job.UID, Retention: retention.Requested(l.job)}
}

// object returns the Job for an Event to refer to; nil if the Job does not exist.
func (l link) object() runtime.Object {
	if l.job == nil {
		return nil
	}
	return l.job
}

// condition returns the condition Linked. Its message also says which annotations of the
// Job are not honored.
func (l link) condition() metav1.Condition {
	condition := l.found()
	for _, refusal := range l.refusals {
		condition.Message += "; " + refusal.Message
	}
	return condition
}

// found returns the condition Linked without the refusals.
func (l link) found() metav1.Condition {
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

// findLink looks for the Job of a JobError: the Job it is linked to, or else the Job
// that its _jobId names.
func (r *Reconciler) findLink(ctx context.Context, je *joberrorv1.JobError) (link, error) {
	captured := je.Labels[joberrorv1.LabelCaptured] != ""
	known := joblink.Linked(je)
	if known == nil && captured {
		// It belongs to a CronJob, which may have the name of a Job.
		return link{}, nil
	}
	if known == nil {
		job, err := jobref.LookupJob(ctx, r.Cached, je.Namespace, je.Spec.JobID)
		return link{job: job}, err
	}
	job, err := jobref.LookupJobByUID(ctx, r.Cached, je.Namespace, known.UID)
	if err != nil || job != nil || je.Status.Job != nil || captured {
		// The operator knew the Job when it captured the error: a Job that has the
		// name now is another Job.
		return link{job: job, known: known}, err
	}
	// Only a label, or an owner reference to a Job that does not exist, names the Job.
	// A Job with this name that predates the record disproves it: the record was
	// restored from a backup.
	since := je.CreationTimestamp.Time
	if je.Labels[joberrorv1.LabelJobUID] != "" {
		since = retention.CreatedAt(je)
	}
	named, err := jobref.LookupJob(ctx, r.Cached, je.Namespace, je.Spec.JobID)
	if named != nil && named.CreationTimestamp.Time.Before(since) {
		return link{job: named}, err
	}
	return link{known: known}, err
}

// applyLink sets the link's label and owner references on the JobError.
func (r *Reconciler) applyLink(ctx context.Context, je *joberrorv1.JobError, link link) error {
	job := link.job
	if job != nil && je.Status.Job != nil && !joblink.HasJobOwner(je, job.UID) {
		// Somebody removed the reference, most likely the garbage collector, which may
		// know before the cache does that the Job is gone.
		exists, err := jobref.Exists(ctx, r.APIReader, client.ObjectKeyFromObject(job), job.UID)
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
	namespace, err := joblink.Namespace(ctx, r.Cached, je.Namespace)
	if apierrors.IsNotFound(err) {
		return requeue.ErrStaleCache
	}
	if err != nil {
		return fmt.Errorf("read the namespace: %w", err)
	}
	switch {
	case job != nil:
		joblink.Apply(je, job, namespace.UID, r.Retention)
	case !cascades(je):
		joblink.EnsureNamespaceOwner(je, namespace.UID)
	}
	return nil
}

// cascades reports whether the linked Job is an owner of the JobError. Only under the
// deletion policy Cascade is a Job the only owner.
func cascades(je *joberrorv1.JobError) bool {
	known := je.Status.Job
	return known != nil && joblink.HasJobOwner(je, known.UID)
}
