// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"fmt"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/severity"
)

// existing returns the JobError of a group; nil if the cache has none.
func (r *Reconciler) existing(ctx context.Context, job subject, g *group) (*joberrorv1.JobError, error) {
	je := &joberrorv1.JobError{}
	err := r.Cached.Get(ctx, types.NamespacedName{Namespace: job.Namespace, Name: g.name}, je)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read JobError %s: %w", g.name, err)
	default:
		return je, nil
	}
}

// record creates the JobError of a group, or counts the group in the existing one.
func (r *Reconciler) record(ctx context.Context, job subject, existing *joberrorv1.JobError, g *group) error {
	if existing == nil {
		return r.create(ctx, job, g)
	}
	return r.addTo(ctx, job, existing, g)
}

// create creates the JobError of a group for its first member that is not past its
// retention.
func (r *Reconciler) create(ctx context.Context, job subject, g *group) error {
	if r.dropExpired(job, g); len(g.members) == 0 {
		return nil
	}
	first, at := g.members[0].as, placesOf(job, g)[0]
	message, ready := r.logs.message(ctx, at, first)
	if !ready {
		// The end of the log brings the next reconcile.
		return nil
	}
	if message != "" {
		first.Message = message
	}
	je := r.newJobError(ctx, job, first)
	je.Name = g.name
	if err := r.Writer.Create(ctx, je); apierrors.IsAlreadyExists(err) {
		return requeue.ErrStaleCache
	} else if err != nil {
		return err
	}
	r.backoff.accepted(write{job.Namespace, verbCreate})
	r.logs.forget(at)
	if first.PodLevel && !g.overflow {
		r.created.add(job.UID, g.name)
	}
	logger := log.FromContext(ctx).WithValues("jobError", g.name, "job", job.Name, "class", first.Class())
	if first.Report != nil {
		logger.Info("Recorded an error that the Job reported")
	} else {
		logger.Info("Recorded a failure", "code", first.Code)
	}
	return r.finishFirst(job, g, g.members[0])
}

// newJobError returns the JobError of a failure, with its link to the Job.
func (r *Reconciler) newJobError(ctx context.Context, job subject, f failure.Failure) *joberrorv1.JobError {
	je := f.JobError(job.Job, creatorOf(job.Job))
	if f.CronJob {
		// There is no Job to link to.
		joblink.RememberRetention(je, job.Job)
		severity.Copy(je, job.Job)
	} else {
		joblink.LinkNew(je, job.Job, job.ending(), job.namespaceUID, r.Retention)
		if template := r.Templates.Remember(ctx, job.Job); template != "" {
			metav1.SetMetaDataAnnotation(&je.ObjectMeta, joberrorv1.AnnotationTemplate, template)
		}
	}
	if f.Report != nil && r.isExpired(je, job) {
		// What a run reports is news, however old its subject is.
		je.Spec.CreatedAt = f.At.UTC().Format(time.RFC3339)
	}
	return je
}

// dropExpired drops the members of a group whose record would already be past its
// retention.
func (r *Reconciler) dropExpired(job subject, g *group) {
	g.members = slices.DeleteFunc(g.members, func(m member) bool {
		je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{CreatedAt: m.as.At.UTC().Format(time.RFC3339)}}
		expired := r.isExpired(je, job)
		if expired {
			r.drop(job, m)
		}
		return expired
	})
}

// isExpired reports whether a record is past its retention.
func (r *Reconciler) isExpired(je *joberrorv1.JobError, job subject) bool {
	return !r.Retention.ExpiresAt(je, retention.Requested(job.Job)).After(r.Clock.Now())
}

// addTo adds the members of a group to the existing JobError. A member from after the
// JobError was resolved reopens it.
func (r *Reconciler) addTo(ctx context.Context, job subject, je *joberrorv1.JobError, g *group) error {
	until, err := r.resolvedUntil(ctx, job, je)
	if err != nil {
		return err
	}
	before := je.Status.DeepCopy()
	failure.CountMarked(je, &je.Status)
	var added []member
	var reopens *member
	for i := range g.members {
		m := &g.members[i]
		if !m.as.AddTo(&je.Status, r.leadingSince) {
			continue
		}
		added = append(added, *m)
		if m.as.Reopens(je, until) {
			reopens = m
		}
	}
	if reopens != nil {
		return r.reopen(ctx, job, je, g, *reopens)
	}
	if len(added) == 0 {
		r.drop(job, g.members...)
		return nil
	}
	if err := r.Writer.PatchStatus(ctx, je, before); err != nil {
		return requeue.IfStale(err)
	}
	r.backoff.accepted(write{job.Namespace, verbPatch})
	for _, m := range added {
		r.observe(job, g, m)
	}
	log.FromContext(ctx).V(1).Info("Counted occurrences of an error", "jobError", je.Name, "added", len(added), "occurrences", je.Status.Occurrences)
	r.drop(job, g.members...)
	return nil
}

// resolvedUntil returns the time up to which failures are covered by the resolution of an
// error; zero if it is open. The success of a later run does not cover what failed after
// that run was created. A Job's own success covers everything, whatever a pod does that
// the Job no longer needs.
func (r *Reconciler) resolvedUntil(ctx context.Context, job subject, je *joberrorv1.JobError) (time.Time, error) {
	if je.Status.ResolvedAt == nil {
		return time.Time{}, nil
	}
	cause := attribution.MarkOf(je).Cause
	if cause.Reason != joberrorv1.ReasonJobSucceeded && cause.Reason != joberrorv1.ReasonRetrySucceeded {
		return je.Status.ResolvedAt.Time, nil
	}
	if cause.Name == job.Name {
		return r.Clock.Now(), nil
	}
	run, err := jobref.LookupJob(ctx, r.Cached, job.Namespace, cause.Name)
	if err != nil {
		return time.Time{}, fmt.Errorf("read Job %s: %w", cause.Name, err)
	}
	if run == nil {
		return je.Status.ResolvedAt.Time, nil
	}
	return run.CreationTimestamp.Time, nil
}

// reopen reopens a resolved error for one member of a group. That member is counted with
// the status that says so: if it were counted before, an earlier success would seem to
// have come after it.
func (r *Reconciler) reopen(ctx context.Context, job subject, je *joberrorv1.JobError, g *group, m member) error {
	if je.Status.ObservedGeneration != je.Generation {
		// The status does not say yet when the error was resolved.
		return requeue.ErrStaleCache
	}
	cause := attribution.Cause{Reason: attribution.FailedAgain, Name: m.as.Source}
	if m.as.Report != nil {
		cause.Reason = attribution.ReportedAgain
	}
	changed := je.DeepCopy()
	changed.Spec.Resolved = false
	m.as.Annotate(changed)
	attribution.Mark{By: attribution.OperatorUser, Generation: je.Generation + 1, Cause: cause}.Put(changed)
	if err := r.Writer.Patch(ctx, je, changed); err != nil {
		return requeue.IfStale(err)
	}
	r.backoff.accepted(write{job.Namespace, verbPatch})
	log.FromContext(ctx).Info("Reopened an error", "jobError", je.Name, "job", job.Name, "reason", cause.Reason)
	return r.finishFirst(job, g, m)
}

// finishFirst finishes the member that a JobError was created or reopened for. The other
// members are counted once the cache has that JobError.
func (r *Reconciler) finishFirst(job subject, g *group, m member) error {
	r.observe(job, g, m)
	r.drop(job, m)
	if len(g.members) > 1 {
		return requeue.ErrStaleCache
	}
	return nil
}

// drop drops members that are recorded, or need no record, from pending.
func (r *Reconciler) drop(job subject, members ...member) {
	for _, m := range members {
		r.pending.markRecorded(job.key(), job.UID, m.seen.Failure)
	}
}

// observe counts a recorded member in the metrics.
func (r *Reconciler) observe(job subject, g *group, m member) {
	switch {
	case g.overflow:
		metrics.Suppressed(job.Namespace)
	case m.as.Report != nil:
		metrics.Reported(job.Namespace, m.seen.Times)
	default:
		metrics.Captured(job.Namespace, m.as.Class(), m.as.Code, r.Clock.Since(m.seen.firstSeen))
	}
}

// creatorOf returns who created a Job: the user in its annotation, or the tool that
// wrote it first, or the operator if neither is known.
func creatorOf(job *batchv1.Job) string {
	if user := job.Annotations[joberrorv1.AnnotationUserID]; user != "" {
		return user
	}
	if len(job.ManagedFields) > 0 {
		return job.ManagedFields[0].Manager
	}
	return attribution.OperatorUser
}
