// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
)

// settleTime is how long the watch of Jobs may be behind the watch of pods: when a
// pod is deleted, why is known a moment later.
const settleTime = 2 * time.Second

// eventSettleTime is how long the Job's own status has to come before an Event that
// says the same counts.
const eventSettleTime = 10 * time.Second

// due returns the failures to record now, and how long it is until another one is
// due; zero if none is. What does not count is taken out.
func (r *CaptureReconciler) due(job *batchv1.Job, exists bool, sightings []sighting) (due []sighting, left time.Duration) {
	key, now := client.ObjectKeyFromObject(job), r.clock.Now()
	for _, s := range sightings {
		wait := s.dueIn(now, r.Capture.Grace)
		switch {
		case wait > 0:
			if left == 0 || wait < left {
				left = wait
			}
		case failure.Ignores(job.Spec.PodFailurePolicy, s.Failure):
			r.pending.done(key, job.UID, s.Failure)
		case s.repeatsJob() && exists:
			// The Job itself says it, and more.
			r.pending.forget(key, job.UID, s.Failure)
		case !s.gone.IsZero() && notNeeded(job):
			r.pending.done(key, job.UID, s.Failure)
		case !s.Passing || s.holds:
			due = append(due, s)
		}
	}
	return due, left
}

// dueIn returns how long it is until a failure is recorded: at once, unless the pod
// may recover. What a pod waited for when it was deleted it will not recover from.
func (s sighting) dueIn(now time.Time, grace time.Duration) time.Duration {
	switch {
	case s.repeatsJob():
		return s.since.Add(eventSettleTime).Sub(now)
	case !s.Passing:
		return 0
	case !s.gone.IsZero():
		return min(s.gone.Add(settleTime).Sub(now), s.since.Add(max(grace, settleTime)).Sub(now))
	default:
		return s.since.Add(grace).Sub(now)
	}
}

// repeatsJob reports whether an Event says what the Job's own status says, too.
func (s sighting) repeatsJob() bool { return s.Event && !s.Passing && !s.CronJob }

// notNeeded reports whether the Job controller deletes pods because it needs them no
// longer. What such a pod waited for was no failure.
func notNeeded(job *batchv1.Job) bool {
	return ptr.Deref(job.Spec.Suspend, false) || slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobSuccessCriteriaMet || c.Type == batchv1.JobComplete)
	})
}

// podsOf are the pods of the Jobs of that name.
func podsOf(ctx context.Context, cache client.Reader, job types.NamespacedName) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := cache.List(ctx, &list, client.InNamespace(job.Namespace), client.MatchingLabels{batchv1.JobNameLabel: job.Name}, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// group is what goes into one JobError.
type group struct {
	name string
	// record is what makes the JobError, where there is none yet.
	record failure.Failure
	// seen are the sightings that it is about, and counted each as what.
	seen    []sighting
	counted []failure.Failure
	// over says that it counts what is over the Job's limit.
	over bool
}

// plan puts together what goes into one JobError. Failures over the limit of the
// Job go into the one that counts them; what the Job itself says of its end, and
// what it reports, is no part of it.
func (r *CaptureReconciler) plan(ctx context.Context, job *batchv1.Job, sightings []sighting) ([]*group, error) {
	var groups []*group
	byName := map[string]*group{}
	var recorded []joberrorv1.JobError
	var known map[string]bool
	for _, s := range sightings {
		as := s.Failure
		name := failure.Name(job.Name, job.UID, as.Key)
		if as.OfPod && byName[name] == nil {
			if known == nil {
				var err error
				if recorded, err = jobref.Mentions(ctx, r.cached, job.Namespace, job.Name); err != nil {
					return nil, err
				}
				known = r.tally.known(job, recorded)
			}
			if as.Taken && told(recorded, name, as) {
				r.pending.done(client.ObjectKeyFromObject(job), job.UID, as)
				continue
			}
			if !known[name] && len(known) >= r.Capture.Limit {
				as = failure.Overflow(s.Failure, r.Capture.Limit)
				name = failure.Name(job.Name, job.UID, as.Key)
			} else {
				known[name] = true
			}
		}
		g := byName[name]
		if g == nil {
			g = &group{name: name, record: as, over: as.Key != s.Key}
			byName[name] = g
			groups = append(groups, g)
		}
		g.seen, g.counted = append(g.seen, s), append(g.counted, as)
	}
	return groups, nil
}

// told reports whether another JobError than the one of that name says already that
// the same pod was taken, for the reason that was given first.
func told(recorded []joberrorv1.JobError, name string, f failure.Failure) bool {
	return slices.ContainsFunc(recorded, func(je joberrorv1.JobError) bool {
		// Before it was taken the pod may have waited; that is another failure.
		return je.Name != name && !failure.Passes(je.Spec.Code) && f.Counts(&je)
	})
}

// tally remembers which JobErrors were made for the pods of a Job, since the cache
// may not know all of them yet.
type tally struct{ made *lru.Cache }

func newTally() *tally { return &tally{made: lru.New(rememberedJobs)} }

// known are the names of the JobErrors that hold a failure of a pod of the Job, of
// those that the cache has and those that it may not have yet.
func (t *tally) known(job *batchv1.Job, recorded []joberrorv1.JobError) map[string]bool {
	names := map[string]bool{}
	for i := range recorded {
		je := &recorded[i]
		if je.Name == failure.Name(job.Name, job.UID, failure.JobKey(je.Spec.Code)) {
			// It is of the Job as a whole.
			continue
		}
		if linked := joblink.Linked(je); je.Labels[joberrorv1.LabelCaptured] == joberrorv1.Captured && linked != nil && linked.UID == job.UID {
			names[je.Name] = true
		}
	}
	if made, ok := t.made.Get(job.UID); ok {
		for name := range made.(map[string]bool) {
			names[name] = true
		}
	}
	return names
}

// add remembers that a JobError was made for a Job's pod. Jobs of one name are
// reconciled one at a time.
func (t *tally) add(job types.UID, name string) {
	made, ok := t.made.Get(job)
	if !ok {
		made = map[string]bool{}
		t.made.Add(job, made)
	}
	made.(map[string]bool)[name] = true
}

// namespaceEnds tells whether a write failed because its namespace is being
// deleted.
func namespaceEnds(err error) bool {
	return apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause)
}
