// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/truncate"
)

const (
	// refusalPatience is how long a failure is kept while its namespace refuses records.
	refusalPatience = time.Hour
	// maxRefusalInEvent limits the API server's answer in an Event, in bytes.
	maxRefusalInEvent = 400
)

// refusal is an answer of the API server that the same request would get again.
type refusal struct {
	// reason labels the refusal in the metric. Without one, the refusal is not reported.
	reason string
	// final is true if no change in the namespace can help.
	final bool
	// quotes is true if the answer may quote the record, which must not be logged.
	quotes bool
	// matches reports whether an error is this refusal.
	matches func(error) bool
}

// refusals lists the refusals. The first that matches an error counts.
var refusals = []refusal{
	{final: true, matches: func(err error) bool { return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) }},
	{reason: "QuotaExceeded", matches: func(err error) bool { return apierrors.IsForbidden(err) && says(err, "exceeded quota") }},
	{reason: "DeniedByPolicy", quotes: true, matches: isDenied},
	{reason: "Invalid", final: true, matches: apierrors.IsInvalid},
	{reason: "Forbidden", matches: apierrors.IsForbidden},
}

// isDenied reports whether a ValidatingAdmissionPolicy or a webhook denied a request. It
// chooses the code of the answer; by default, a policy's is 422 and a webhook's is 403.
func isDenied(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && status.Status().Code < 500 && !apierrors.IsTooManyRequests(err) && !apierrors.IsConflict(err) &&
		(says(err, " denied request: ") || says(err, " denied the request"))
}

func says(err error, text string) bool { return strings.Contains(err.Error(), text) }

// refusalOf returns the first refusal that matches an error. ok is false if none does.
func refusalOf(err error) (found refusal, ok bool) {
	i := slices.IndexFunc(refusals, func(r refusal) bool { return err != nil && r.matches(err) })
	if i < 0 {
		return refusal{}, false
	}
	return refusals[i], true
}

// tryRecord records a group, unless its namespace refused such a write a moment ago. After a
// refusal, it returns the time until the next attempt; otherwise zero.
func (r *Reconciler) tryRecord(ctx context.Context, job subject, g *group) (time.Duration, error) {
	je, err := r.existing(ctx, job, g)
	if err != nil {
		return 0, err
	}
	w := write{job.Namespace, verbPatch}
	if je == nil {
		w.verb = verbCreate
	}
	if wait := r.backoff.wait(w); wait > 0 {
		r.dropImpatient(ctx, job, g)
		return wait, nil
	}
	err = r.record(ctx, job, je, g)
	why, refused := refusalOf(err)
	if !refused {
		return 0, err
	}
	r.refused(ctx, job, g, w, why, err)
	return r.backoff.wait(w), nil
}

// refused handles a refusal to record a group. It drops the group if the refusal is final.
// Otherwise, it delays all such writes in the namespace, and says so.
func (r *Reconciler) refused(ctx context.Context, job subject, g *group, w write, why refusal, err error) {
	if why.reason != "" {
		metrics.Refused(job.Namespace, why.reason)
	}
	logger := log.FromContext(ctx).WithValues("job", job.Name, "jobError", g.name, "reason", why.reason)
	switch {
	case why.final:
		if why.reason != "" {
			logger.Error(err, "A failure can't be recorded")
			metrics.Dropped(job.Namespace, len(g.members))
		}
		r.drop(job, g.members...)
		return
	case r.backoff.refused(w, why.reason):
		r.Recorder.Eventf(reference(job, g), nil, corev1.EventTypeWarning, "RecordRefused", "Record",
			"The record of a failure was refused; the failures in this namespace wait for up to %.0f minutes: %s", refusalPatience.Minutes(), truncate.Bytes(err.Error(), maxRefusalInEvent))
	}
	if !why.quotes {
		logger = logger.WithValues("answer", err.Error())
	}
	logger.Info("The record of a failure was refused", "retryAfter", r.backoff.wait(w))
	r.pending.countRefusal(placesOf(job, g))
	r.dropImpatient(ctx, job, g)
}

// dropImpatient drops the members of a group that have waited for too long for a namespace
// that refuses records.
func (r *Reconciler) dropImpatient(ctx context.Context, job subject, g *group) {
	if dropped := r.pending.dropRefused(placesOf(job, g), r.Clock.Now(), refusalPatience); dropped > 0 {
		metrics.Dropped(job.Namespace, dropped)
		log.FromContext(ctx).Info("Dropped failures whose record was refused for too long", "job", job.Name, "jobError", g.name, "dropped", dropped)
	}
}

// reference returns the Job or the CronJob that failed, for an Event to refer to.
func reference(job subject, g *group) *corev1.ObjectReference {
	kind := "Job"
	if g.members[0].as.CronJob {
		kind = "CronJob"
	}
	return &corev1.ObjectReference{
		APIVersion: batchv1.SchemeGroupVersion.String(), Kind: kind, Namespace: job.Namespace, Name: job.Name, UID: job.UID,
	}
}

// placesOf returns where pending holds the members of a group.
func placesOf(job subject, g *group) []place {
	var places []place
	for _, m := range g.members {
		places = append(places, place{job.key(), idOf(job.UID, m.seen.Failure)})
	}
	return places
}
