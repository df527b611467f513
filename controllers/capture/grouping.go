// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/utils/lru"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/jobref"
)

// group holds the sightings that one JobError records.
type group struct {
	// name is the name of the JobError.
	name    string
	members []member
	// overflow is true for the JobError that counts the failures over the Job's limit.
	overflow bool
}

// member is a sighting with the failure that it is recorded as.
type member struct {
	seen sighting
	as   failure.Failure
}

// group groups sightings by the JobError that records them. It drops repeated reports of
// one disruption from pending. The groups that were refused least often come first, so that
// a group that is always refused does not hold up the others.
func (r *Reconciler) group(ctx context.Context, job subject, sightings []sighting) ([]*group, error) {
	var recorded []joberrorv1.JobError
	if slices.ContainsFunc(sightings, func(s sighting) bool { return s.PodLevel }) {
		errs, err := jobref.Mentions(ctx, r.Cached, job.Namespace, job.Name)
		if err != nil {
			return nil, fmt.Errorf("list the errors of Job %s: %w", job.Name, err)
		}
		recorded = capturedFrom(job.Job, errs)
	}
	nameOf := func(f failure.Failure) (string, error) { return r.nameOf(ctx, job, f) }
	groups, repeated, err := groupByError(sightings, recorded, r.created.podLevel(job.Job, recorded), r.Policy.Limit, nameOf)
	if err != nil {
		return nil, err
	}
	for _, s := range repeated {
		r.pending.markRecorded(job.key(), job.UID, s.Failure)
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return a.members[0].seen.refusals - b.members[0].seen.refusals })
	return groups, nil
}

// capturedFrom returns the errors that the operator captured from a Job and its pods.
func capturedFrom(job *batchv1.Job, errs []joberrorv1.JobError) []joberrorv1.JobError {
	return slices.DeleteFunc(errs, func(je joberrorv1.JobError) bool {
		return !failure.Failure{}.IsRecordOf(&je, job.Name, job.UID)
	})
}

// groupByError groups sightings by the JobError that records them, and returns those
// that repeat a disruption that another JobError records. A Job has at most limit
// JobErrors about its pods: one JobError counts the failures over the limit. What the
// Job says about itself, and what it reports, has no limit here.
func groupByError(sightings []sighting, recorded []joberrorv1.JobError, podLevel sets.Set[string], limit int,
	nameOf func(failure.Failure) (string, error),
) (groups []*group, repeated []sighting, err error) {
	disrupted := disruptions(nil)
	byKey := map[string]*group{}
	for _, s := range sightings {
		as := s.Failure
		if g := byKey[as.Key]; g != nil {
			g.members = append(g.members, member{seen: s, as: as})
			continue
		}
		name, err := nameOf(as)
		if err != nil {
			return nil, nil, err
		}
		if as.Disruption && disrupted == nil {
			disrupted = disruptionsIn(recorded)
		}
		switch {
		case !as.PodLevel:
		case as.Disruption && disrupted.elsewhere(name, as):
			repeated = append(repeated, s)
			continue
		case podLevel.Has(name) || podLevel.Len() < limit:
			podLevel.Insert(name)
		default:
			as = failure.Overflow(s.Failure, limit)
			if name, err = nameOf(as); err != nil {
				return nil, nil, err
			}
		}
		g := byKey[as.Key]
		if g == nil {
			g = &group{name: name, overflow: as.Key != s.Key}
			byKey[as.Key] = g
			groups = append(groups, g)
		}
		g.members = append(g.members, member{seen: s, as: as})
	}
	return groups, repeated, nil
}

// disruptions maps the trace of an occurrence to the names of the JobErrors that count it. It
// holds only failures that no pod recovers from.
type disruptions map[string][]string

func disruptionsIn(recorded []joberrorv1.JobError) disruptions {
	d := disruptions{}
	for i := range recorded {
		// Before its disruption the pod may have waited, which is another failure.
		if je := &recorded[i]; !failure.CanRecover(je.Spec.Code) {
			for _, hash := range failure.TracesIn(je) {
				d[hash] = append(d[hash], je.Name)
			}
		}
	}
	return d
}

// elsewhere reports whether a JobError with another name already records the disruption of
// the same pod, with the reason that was given first.
func (d disruptions) elsewhere(name string, f failure.Failure) bool {
	return slices.ContainsFunc(d[f.Traces()[0]], func(other string) bool { return other != name })
}

// createdErrors remembers the names of the JobErrors that were created for the pods of
// each Job, since the cache may not know all of them yet.
type createdErrors struct{ byJob *lru.Cache }

func newCreatedErrors() *createdErrors { return &createdErrors{byJob: lru.New(maxJobs)} }

// podLevel returns the names of the JobErrors about the Job's pods: those of the captured
// ones in the cache, and those that the cache may not have yet.
func (c *createdErrors) podLevel(job *batchv1.Job, captured []joberrorv1.JobError) sets.Set[string] {
	names := c.of(job.UID).Clone()
	for i := range captured {
		je := &captured[i]
		// The others are about the Job as a whole, or count what is over the limit.
		about := failure.ErrorName(job.Name, job.UID, failure.JobKey(je.Spec.Code))
		if je.Labels[joberrorv1.LabelCaptured] == joberrorv1.Captured && failure.FirstName(je.Name) != about {
			names.Insert(je.Name)
		}
	}
	return names
}

// add remembers that a JobError was created for a Job's pod. Jobs with the same name are
// reconciled one at a time.
func (c *createdErrors) add(job types.UID, name string) {
	names := c.of(job)
	names.Insert(name)
	c.byJob.Add(job, names)
}

func (c *createdErrors) of(job types.UID) sets.Set[string] {
	value, _ := c.byJob.Get(job)
	if names, ok := value.(sets.Set[string]); ok {
		return names
	}
	return sets.New[string]()
}
