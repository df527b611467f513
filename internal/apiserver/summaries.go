// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/util/resourceversion"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/retention"
)

// summaries holds a summary of each job's errors. It follows the cache, so that a request
// costs the same for one error as for 100,000.
type summaries struct {
	cache client.Reader
	// synced reports whether the errors that existed at startup are counted.
	synced toolscache.InformerSynced

	mu sync.Mutex
	// byName holds the summaries by the name of the job, and byID by each id that a request
	// may use for it.
	byName, byID summaryMap
}

// summaryMap holds summaries by namespace and key.
type summaryMap struct {
	// keys returns the keys that an error counts for.
	keys       func(*joberrorv1.JobError) []string
	namespaces map[string]map[string]*summary
}

// summary adds up the errors of one job. It is small, because the errors of a CronJob each
// have a job of their own.
type summary struct {
	total, resolved int32
	// jobIDs counts the errors with each spec._jobId that differs from the summary's key.
	jobIDs counts
	// latest and linked hold the latest error, and the latest one with a link to a Job. The
	// cache has the same objects.
	latest, linked *joberrorv1.JobError
	// outdated is set when one of these is deleted. The next request finds the other errors.
	outdated bool
	// opened and closed hold the resource versions at which an error last became an open and a
	// resolved error of this job.
	opened, closed string
}

// newSummaries returns the summaries of the errors in the cache.
func newSummaries(ctx context.Context, c cache.Cache) (*summaries, error) {
	s := emptySummaries(c)
	registration, err := informers.Handle(ctx, c, &joberrorv1.JobError{}, s)
	if err != nil {
		return nil, err
	}
	s.synced = registration.HasSynced
	return s, nil
}

func emptySummaries(reader client.Reader) *summaries {
	return &summaries{
		cache:  reader,
		byName: summaryMap{keys: func(je *joberrorv1.JobError) []string { return []string{jobName(je)} }, namespaces: map[string]map[string]*summary{}},
		byID:   summaryMap{keys: jobref.IDs, namespaces: map[string]map[string]*summary{}},
	}
}

// jobName returns the name of an error's job, or its spec._jobId if the name is unknown.
func jobName(je *joberrorv1.JobError) string {
	if je.Status.Job != nil {
		return je.Status.Job.Name
	}
	return je.Spec.JobID
}

// OnAdd adds a JobError that is new in the cache.
func (s *summaries) OnAdd(obj any, _ bool) { s.OnUpdate(nil, obj) }

// OnUpdate puts the new state of a JobError in place of the old one.
func (s *summaries) OnUpdate(before, after any) {
	old, _ := before.(*joberrorv1.JobError)
	if je, ok := after.(*joberrorv1.JobError); ok {
		s.change(old, je)
	}
}

// OnDelete removes a JobError that was deleted.
func (s *summaries) OnDelete(obj any) {
	if je, ok := informers.Deleted[*joberrorv1.JobError](obj); ok {
		s.change(je, nil)
	}
}

// change counts a JobError as it is after a change instead of before it. Either may be nil.
func (s *summaries) change(before, after *joberrorv1.JobError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range []summaryMap{s.byName, s.byID} {
		// Adding first keeps the summary of a job with one error.
		m.add(before, after)
		m.remove(before, after)
	}
}

// add adds a JobError as it is after a change. It is nil before if it is new.
func (m summaryMap) add(before, je *joberrorv1.JobError) {
	if je == nil {
		return
	}
	var known []string
	if before != nil && before.Spec.Resolved == je.Spec.Resolved {
		known = m.keys(before)
	}
	jobs := m.namespaces[je.Namespace]
	if jobs == nil {
		jobs = map[string]*summary{}
		m.namespaces[je.Namespace] = jobs
	}
	for _, key := range m.keys(je) {
		if jobs[key] == nil {
			jobs[key] = &summary{}
		}
		jobs[key].count(key, je, 1)
		jobs[key].see(je)
		if !slices.Contains(known, key) {
			jobs[key].turn(je)
		}
	}
}

// remove removes a JobError as it was before a change. It is nil after if it was deleted.
func (m summaryMap) remove(je, after *joberrorv1.JobError) {
	if je == nil {
		return
	}
	var left []string
	if after != nil {
		left = m.keys(after)
	}
	jobs := m.namespaces[je.Namespace]
	for _, key := range m.keys(je) {
		job := jobs[key]
		if job == nil {
			continue
		}
		job.count(key, je, -1)
		if job.total == 0 {
			delete(jobs, key)
		}
		isLatest, isLinked := isSame(job.latest, je), isSame(job.linked, je)
		gone := !slices.Contains(left, key)
		unlinked := gone || joblink.Linked(after) == nil
		job.outdated = job.outdated || gone && isLatest || unlinked && isLinked
	}
	if len(jobs) == 0 {
		delete(m.namespaces, je.Namespace)
	}
}

// turn notes that an error became open or resolved, or became an error of this job.
func (j *summary) turn(je *joberrorv1.JobError) {
	at := &j.opened
	if je.Spec.Resolved {
		at = &j.closed
	}
	if isNewer(je.ResourceVersion, *at) {
		*at = je.ResourceVersion
	}
}

// count adds n to the counts of errors like this one. key is the summary's key.
func (j *summary) count(key string, je *joberrorv1.JobError, n int32) {
	j.total += n
	if je.Spec.Resolved {
		j.resolved += n
	}
	if id := je.Spec.JobID; id != key {
		j.jobIDs.add(id, n)
	}
}

// see remembers an error if it is the latest.
func (j *summary) see(je *joberrorv1.JobError) {
	if isLater(je, j.latest) {
		j.latest = je
	}
	if joblink.Linked(je) != nil && isLater(je, j.linked) {
		j.linked = je
	}
}

// isLater reports whether an error is later than another one, which may be nil, or is a newer
// state of the same.
func isLater(je, than *joberrorv1.JobError) bool {
	return than == nil || isSame(je, than) || retention.CreatedAt(je).After(retention.CreatedAt(than))
}

// isSame reports whether two states are of the same error of a namespace. Either may be nil.
func isSame(a, b *joberrorv1.JobError) bool { return a != nil && b != nil && a.Name == b.Name }

// isNewer reports whether a resource version is newer than another one, which may be empty.
// Versions that can't be compared count as newer.
func isNewer(version, than string) bool {
	if than == "" {
		return true
	}
	order, err := resourceversion.CompareResourceVersion(version, than)
	return err != nil || order > 0
}

// find returns a copy of the summary of the job with this id; nil if it has no errors.
func (s *summaries) find(ctx context.Context, namespace, id string) (*summary, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.read(ctx, s.byID, namespace, id)
}

// jobIDs returns the values of spec._jobId, other than the id itself, of the errors that a
// request finds with an id.
func (s *summaries) jobIDs(namespace, id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byID.namespaces[namespace][id]
	if found == nil {
		return nil
	}
	return found.jobIDs.texts()
}

// changedAfter reports whether an error of a job became open, or resolved, after a resource
// version. ids are the ids of the job.
func (s *summaries) changedAfter(version, namespace string, ids []string, resolved bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(ids, func(id string) bool {
		found := s.byID.namespaces[namespace][id]
		if found == nil {
			return false
		}
		at := found.opened
		if resolved {
			at = found.closed
		}
		return at != "" && isNewer(at, version)
	})
}

// wrote notes an error that this replica has just written, which the cache may not have yet.
func (s *summaries) wrote(je *joberrorv1.JobError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range jobref.IDs(je) {
		if found := s.byID.namespaces[je.Namespace][id]; found != nil {
			found.turn(je)
		}
	}
}

// count returns the number of jobs with errors in a namespace, or in all if it is empty.
func (s *summaries) count(namespace string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := len(s.byName.namespaces[namespace])
	if namespace == "" {
		for _, jobs := range s.byName.namespaces {
			count += len(jobs)
		}
	}
	return count
}

// list calls visit with the summary of each job in a namespace, or in all if it is empty.
func (s *summaries) list(ctx context.Context, namespace string, visit func(namespace, job string, found *summary)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ns, jobs := range s.byName.namespaces {
		if namespace != "" && ns != namespace {
			continue
		}
		for job := range jobs {
			found, err := s.read(ctx, s.byName, ns, job)
			if err != nil {
				return err
			}
			if found != nil {
				visit(ns, job, found)
			}
		}
	}
	return nil
}

// read returns a copy of a summary without its jobIDs. If it is outdated, read finds the
// latest errors in the cache. It returns nil if the cache has none left: the summary then
// waits for the events of their deletion.
func (s *summaries) read(ctx context.Context, m summaryMap, namespace, key string) (*summary, error) {
	found := m.namespaces[namespace][key]
	if found == nil {
		return nil, nil
	}
	if found.outdated {
		errs, err := jobref.Mentions(ctx, s.cache, namespace, key)
		if err != nil {
			return nil, fmt.Errorf("find the latest error of job %s: %w", key, err)
		}
		found.latest, found.linked = nil, nil
		for _, je := range errs {
			if slices.Contains(m.keys(&je), key) {
				found.see(&je)
			}
		}
		if found.latest == nil {
			return nil, nil
		}
		found.outdated = false
	}
	clone := *found
	clone.jobIDs = counts{}
	return &clone, nil
}
