// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"cmp"
	"slices"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/lru"
	ctrl "sigs.k8s.io/controller-runtime"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/metrics"
)

// Limits of what is held in memory. Recorded failures and deleted Jobs that are forgotten
// are found again among the JobErrors. A pending failure over the limit is lost; the
// metric joberror_capture_dropped_total counts it.
const (
	maxPending  = 20_000
	maxRecorded = 20_000
	maxJobs     = 4_000
)

type queue = workqueue.TypedRateLimitingInterface[ctrl.Request]

// pending holds the failures that were seen until they are recorded. The watch events
// are the only place to see a failure: the objects may be gone a moment later.
//
// On a standby, pending holds what the leader is probably recording at this moment, and
// drops it once the record appears.
type pending struct {
	mu sync.Mutex
	// jobs holds the sightings of the Jobs with each name.
	jobs map[types.NamespacedName]map[sightingID]*sighting
	// waits holds the places of the transient failures of each pod or Job.
	waits map[types.UID]map[place]bool
	// order evicts the oldest sighting when there are too many.
	order *lru.Cache
	// recorded holds failures that are recorded or need no record.
	recorded *lru.Cache
	// deleted holds the last states of deleted Jobs, by UID.
	deleted *lru.Cache
	// queue is the leader's work queue; nil on a standby.
	queue queue
}

func newPending() *pending {
	p := &pending{
		jobs:     map[types.NamespacedName]map[sightingID]*sighting{},
		waits:    map[types.UID]map[place]bool{},
		recorded: lru.New(maxRecorded),
		deleted:  lru.New(maxJobs),
	}
	p.order = lru.NewWithEvictionFunc(maxPending, func(key lru.Key, _ any) { p.evict(key.(place)) })
	return p
}

// lead enqueues all that is pending now and whatever is added later. It returns how many
// names of Jobs have anything pending.
func (p *pending) lead(q queue) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = q
	for key := range p.jobs {
		p.enqueue(key)
	}
	return len(p.jobs)
}

// enqueue asks the leader to reconcile the Jobs with this name.
func (p *pending) enqueue(key types.NamespacedName) {
	if p.queue != nil {
		p.queue.Add(ctrl.Request{NamespacedName: key})
	}
}

// add adds failures of a Job.
func (p *pending) add(key types.NamespacedName, job types.UID, failures []failure.Failure, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range failures {
		id := idOf(job, f)
		if _, recorded := p.recorded.Get(id); !recorded && p.put(place{key, id}, f, now) {
			p.enqueue(key)
		}
	}
}

// put adds a failure or updates it, and reports whether the leader has anything new to
// look at.
func (p *pending) put(at place, f failure.Failure, now time.Time) bool {
	s, known := p.jobs[at.job][at.id]
	if !known {
		s = &sighting{firstSeen: now}
		if p.jobs[at.job] == nil {
			p.jobs[at.job] = map[sightingID]*sighting{}
		}
		p.jobs[at.job][at.id] = s
		p.order.Add(at, nil)
	}
	if f.At.After(s.firstSeen) {
		// No failure happens after it was seen: the node's clock is ahead.
		f.At = s.firstSeen
	}
	// A status says more than an Event, and replaces it.
	better := known && s.FromEvent && !f.FromEvent
	if !known || f.Key == s.Key && (better || s.FromEvent == f.FromEvent) {
		s.Failure = f
	}
	if f.Transient && !known {
		s.waitingUID, s.waiting = f.Subject, true
		if p.waits[f.Subject] == nil {
			p.waits[f.Subject] = map[place]bool{}
		}
		p.waits[f.Subject][at] = true
	}
	return !known || better
}

// update updates the transient failures of a pod or Job by what it waits for now. It
// drops the failures that the pod has recovered from, and enqueues those that it ends
// with.
func (p *pending) update(state failure.WaitState, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for at := range p.waits[state.UID] {
		s := p.jobs[at.job][at.id]
		wasWaiting := s.waiting
		switch {
		case !s.ended.IsZero():
			// How the pod ends says nothing more about what it waited for.
		case state.Recovered[s.Key] && (state.Since.IsZero() || s.At.Before(state.Since)):
			p.drop(at)
		case state.Ended && (wasWaiting || state.Waiting[s.Key]):
			s.waiting, s.ended = true, now
			p.enqueue(at.job)
		case state.Ended:
			p.drop(at)
		default:
			s.waiting = s.FromEvent || state.Waiting[s.Key]
			if s.waiting && !wasWaiting {
				p.enqueue(at.job)
			}
		}
	}
}

// of returns what is pending for the Jobs with this name, by their UIDs, earliest first.
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

// markRecorded drops a failure that is recorded, or that needs no record, permanently.
func (p *pending) markRecorded(key types.NamespacedName, job types.UID, f failure.Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropForever(place{key, idOf(job, f)})
}

// forget drops a failure that may be added again: nobody wants a record of it now.
func (p *pending) forget(key types.NamespacedName, job types.UID, f failure.Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(place{key, idOf(job, f)})
}

// dropRecorded drops what a JobError records, whoever recorded it.
func (p *pending) dropRecorded(je *joberrorv1.JobError) {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := types.NamespacedName{Namespace: je.Namespace, Name: je.Spec.JobID}
	for id, s := range p.jobs[key] {
		ofJob := s.CronJob || string(id.job) == je.Labels[joberrorv1.LabelJobUID]
		if ofJob && s.RecordedIn(je, key.Name, id.job) {
			p.dropForever(place{key, id})
		}
	}
}

func (p *pending) dropForever(at place) {
	p.recorded.Add(at.id, nil)
	p.drop(at)
}

func (p *pending) drop(at place) {
	p.remove(at)
	p.order.Remove(at)
}

// evict drops the oldest sighting. Only the leader loses a failure this way: on a
// standby, the leader has recorded it long ago.
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
	delete(p.waits[s.waitingUID], at)
	if len(p.waits[s.waitingUID]) == 0 {
		delete(p.waits, s.waitingUID)
	}
}

// rememberDeleted keeps the last state of a deleted Job: its pods may end after it.
func (p *pending) rememberDeleted(job *batchv1.Job) { p.deleted.Add(job.UID, job) }

// deletedJob returns the last state of a deleted Job; nil if it is not known.
func (p *pending) deletedJob(uid types.UID) *batchv1.Job {
	value, _ := p.deleted.Get(uid)
	job, _ := value.(*batchv1.Job)
	return job
}
