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
	"joberror.io/operator/internal/joblink"
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
// one disruption from pending.
func (r *Reconciler) group(ctx context.Context, job subject, sightings []sighting) ([]*group, error) {
	var errs []joberrorv1.JobError
	if slices.ContainsFunc(sightings, func(s sighting) bool { return s.PodLevel }) {
		var err error
		if errs, err = jobref.Mentions(ctx, r.Cached, job.Namespace, job.Name); err != nil {
			return nil, fmt.Errorf("list the errors of Job %s: %w", job.Name, err)
		}
	}
	groups, repeated := groupByError(job.Job, sightings, errs, r.created.podLevel(job.Job, errs), r.Policy.Limit)
	for _, s := range repeated {
		r.pending.markRecorded(job.key(), job.UID, s.Failure)
	}
	return groups, nil
}

// groupByError groups sightings by the JobError that records them, and returns those
// that repeat a disruption that another JobError records. A Job has at most limit
// JobErrors about its pods: one JobError counts the failures over the limit. What the
// Job says about itself, and what it reports, has no limit here.
func groupByError(job *batchv1.Job, sightings []sighting, recorded []joberrorv1.JobError, podLevel sets.Set[string], limit int) (groups []*group, repeated []sighting) {
	byName := map[string]*group{}
	for _, s := range sightings {
		as := s.Failure
		name := failure.ErrorName(job.Name, job.UID, as.Key)
		if as.PodLevel && byName[name] == nil {
			switch {
			case as.Disruption && recordedElsewhere(recorded, name, as):
				repeated = append(repeated, s)
				continue
			case podLevel.Has(name) || podLevel.Len() < limit:
				podLevel.Insert(name)
			default:
				as = failure.Overflow(s.Failure, limit)
				name = failure.ErrorName(job.Name, job.UID, as.Key)
			}
		}
		g := byName[name]
		if g == nil {
			g = &group{name: name, overflow: as.Key != s.Key}
			byName[name] = g
			groups = append(groups, g)
		}
		g.members = append(g.members, member{seen: s, as: as})
	}
	return groups, repeated
}

// recordedElsewhere reports whether a JobError with another name already records the
// disruption of the same pod, with the reason that was given first.
func recordedElsewhere(recorded []joberrorv1.JobError, name string, f failure.Failure) bool {
	return slices.ContainsFunc(recorded, func(je joberrorv1.JobError) bool {
		// Before its disruption the pod may have waited, which is another failure.
		return je.Name != name && !failure.CanRecover(je.Spec.Code) && f.IsRecordedBy(&je)
	})
}

// createdErrors remembers the names of the JobErrors that were created for the pods of
// each Job, since the cache may not know all of them yet.
type createdErrors struct{ byJob *lru.Cache }

func newCreatedErrors() *createdErrors { return &createdErrors{byJob: lru.New(maxJobs)} }

// podLevel returns the names of the JobErrors about the Job's pods: those in the cache,
// and those that the cache may not have yet.
func (c *createdErrors) podLevel(job *batchv1.Job, cached []joberrorv1.JobError) sets.Set[string] {
	names := c.of(job.UID).Clone()
	for i := range cached {
		je := &cached[i]
		if je.Name == failure.ErrorName(job.Name, job.UID, failure.JobKey(je.Spec.Code)) {
			// It is about the Job as a whole.
			continue
		}
		if linked := joblink.Linked(je); je.Labels[joberrorv1.LabelCaptured] == joberrorv1.Captured && linked != nil && linked.UID == job.UID {
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
