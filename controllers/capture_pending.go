// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"cmp"
	"slices"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/metrics"
)

// How much is remembered. What is forgotten of recorded failures and deleted Jobs is
// found out again from what is recorded. A pending failure over its bound is lost;
// the metric joberror_capture_dropped_total counts it.
const (
	rememberedFailures = 20_000
	rememberedJobs     = 4_000
	maxPending         = 20_000
)

// sighting is a failure that was seen and is not recorded yet.
type sighting struct {
	failure.Failure
	// since is when it was first seen.
	since time.Time
	// subject is the pod, or the Job, that may recover from it; empty if it can't pass.
	subject types.UID
	// holds reports whether the subject still shows it.
	holds bool
	// gone is when the subject was seen to be ending; the zero time until then.
	gone time.Time
}

// failureID tells the occurrences of all failures apart.
type failureID struct {
	job             types.UID
	key, occurrence string
}

func idOf(job types.UID, f failure.Failure) failureID {
	if f.Taken {
		return failureID{job, "taken", f.Occurrence}
	}
	return failureID{job, f.Key, f.Occurrence}
}

// ofJobs holds the sightings of the Jobs of one name.
type ofJobs map[failureID]*sighting

// place says where a sighting is held.
type place struct {
	job types.NamespacedName
	id  failureID
}

// pending holds what was seen to go wrong until it is recorded. The events of a
// watch are the only place to see it: the objects may be gone a moment later.
//
// On a replica that does not lead it holds what the leader may be recording right
// now, and drops it once the record appears.
type pending struct {
	mu   sync.Mutex
	jobs map[types.NamespacedName]ofJobs
	// waits holds what each subject may recover from.
	waits map[types.UID]map[place]bool
	// order drops the oldest sighting when there are too many.
	order *lru.Cache
	// recorded holds failures that are recorded or need not be.
	recorded *lru.Cache
	// deleted holds Jobs as they last were, by UID.
	deleted *lru.Cache
	// queue is the leader's; nil on a replica that does not lead.
	queue queue
}

func newPending() *pending {
	p := &pending{
		jobs:     map[types.NamespacedName]ofJobs{},
		waits:    map[types.UID]map[place]bool{},
		recorded: lru.New(rememberedFailures),
		deleted:  lru.New(rememberedJobs),
	}
	p.order = lru.NewWithEvictionFunc(maxPending, func(key lru.Key, _ any) { p.evict(key.(place)) })
	return p
}

// lead lets the queue have all that is pending now, and whatever comes later.
func (p *pending) lead(q queue) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = q
	for key := range p.jobs {
		p.tell(key)
	}
}

// tell asks the leader's queue for a reconcile of the Jobs of that name.
func (p *pending) tell(key types.NamespacedName) {
	if p.queue != nil {
		p.queue.Add(ctrl.Request{NamespacedName: key})
	}
}

// add adds failures of a Job. None happens after it was seen: a node's clock may be
// ahead.
func (p *pending) add(key types.NamespacedName, job types.UID, failures []failure.Failure, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range failures {
		id := idOf(job, f)
		if _, known := p.recorded.Get(id); !known && p.put(key, id, f, now) {
			p.tell(key)
		}
	}
}

// put adds a failure, or brings what is known of it up to date. It reports whether a
// reconcile has anything new to look at.
func (p *pending) put(key types.NamespacedName, id failureID, f failure.Failure, now time.Time) bool {
	s, known := p.jobs[key][id]
	if !known {
		s = &sighting{since: now}
		if p.jobs[key] == nil {
			p.jobs[key] = ofJobs{}
		}
		p.jobs[key][id] = s
		p.order.Add(place{key, id}, nil)
	}
	if f.At.After(s.since) {
		f.At = s.since
	}
	// An Event says no more than the status that was seen.
	better := known && s.Event && !f.Event
	if !known || f.Key == s.Key && (better || s.Event == f.Event) {
		s.Failure = f
	}
	if f.Passing && !known {
		s.subject, s.holds = f.Subject, true
		if p.waits[f.Subject] == nil {
			p.waits[f.Subject] = map[place]bool{}
		}
		p.waits[f.Subject][place{key, id}] = true
	}
	return !known || better
}

// follow brings up to date what a pod, or a Job, may recover from: drops what it has
// recovered from, and has a reconcile look at what it ends with.
func (p *pending) follow(subject failure.Waits, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for at := range p.waits[subject.UID] {
		s := p.jobs[at.job][at.id]
		held := s.holds
		switch {
		case !s.gone.IsZero():
			// How it ends says no more of what it waited for.
		case subject.Overcome[s.Key] && (subject.Since.IsZero() || s.At.Before(subject.Since)):
			p.drop(at)
		case subject.Gone && (held || subject.Shows[s.Key]):
			s.holds, s.gone = true, now
			p.tell(at.job)
		case subject.Gone:
			p.drop(at)
		default:
			s.holds = s.Event || subject.Shows[s.Key]
			if s.holds && !held {
				p.tell(at.job)
			}
		}
	}
}

// of returns what is pending of the Jobs of that name, by their UIDs, and of each
// the earliest first.
func (p *pending) of(key types.NamespacedName) map[types.UID][]sighting {
	p.mu.Lock()
	defer p.mu.Unlock()
	byJob := map[types.UID][]sighting{}
	for id, s := range p.jobs[key] {
		byJob[id.job] = append(byJob[id.job], *s)
	}
	for _, sightings := range byJob {
		slices.SortFunc(sightings, func(a, b sighting) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Occurrence, b.Occurrence))
		})
	}
	return byJob
}

// done takes a failure out that is recorded or need not be, for good.
func (p *pending) done(key types.NamespacedName, job types.UID, f failure.Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settle(place{key, idOf(job, f)})
}

func (p *pending) settle(at place) {
	p.recorded.Add(at.id, nil)
	p.drop(at)
}

// forget takes a failure out that may be seen again: it passed, or nobody wants it
// now.
func (p *pending) forget(key types.NamespacedName, job types.UID, f failure.Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(place{key, idOf(job, f)})
}

// recordedAs takes out what a JobError holds, whoever recorded it.
func (p *pending) recordedAs(je *joberrorv1.JobError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := types.NamespacedName{Namespace: je.Namespace, Name: je.Spec.JobID}
	for id, s := range p.jobs[key] {
		mine := s.CronJob || string(id.job) == je.Labels[joberrorv1.LabelJobUID]
		if mine && s.RecordedIn(je, key.Name, id.job) {
			p.settle(place{key, id})
		}
	}
}

func (p *pending) drop(at place) {
	p.remove(at)
	p.order.Remove(at)
}

// evict drops the oldest sighting. Only the leader loses anything by it: elsewhere
// the leader has long recorded it.
func (p *pending) evict(at place) {
	if _, held := p.jobs[at.job][at.id]; held && p.queue != nil {
		metrics.Dropped(at.job.Namespace)
	}
	p.remove(at)
}

func (p *pending) remove(at place) {
	s, held := p.jobs[at.job][at.id]
	if !held {
		return
	}
	delete(p.jobs[at.job], at.id)
	if len(p.jobs[at.job]) == 0 {
		delete(p.jobs, at.job)
	}
	delete(p.waits[s.subject], at)
	if len(p.waits[s.subject]) == 0 {
		delete(p.waits, s.subject)
	}
}

// remember keeps a Job that was deleted: its pods may end after it.
func (p *pending) remember(job *batchv1.Job) { p.deleted.Add(job.UID, job) }

// remembered returns a Job that was deleted; nil if it is not known.
func (p *pending) remembered(uid types.UID) *batchv1.Job { return found(p.deleted.Get(uid)) }
