// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"cmp"
	"container/list"
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

// batchDelay is the least time between two reconciles of a Job for failures that become due
// as time passes. Ten thousand pods that began to wait one after the other are recorded
// together.
const batchDelay = 500 * time.Millisecond

type queue = workqueue.TypedRateLimitingInterface[ctrl.Request]

// pending holds the failures that were seen until they are recorded. The watch events
// are the only place to see a failure: the objects may be gone a moment later.
//
// On a standby, pending holds what the leader is probably recording at this moment, and
// drops it once the record appears.
type pending struct {
	// grace is how long a transient failure must last.
	grace time.Duration

	mu sync.Mutex
	// agendas holds the sightings of the Jobs with each name.
	agendas map[types.NamespacedName]*agenda
	// waits holds the places of the transient failures of each pod or Job.
	waits map[types.UID]map[place]bool
	// traces holds the places of the sightings that a JobError with this trace holds.
	traces map[trace][]place
	// namespaces holds the places of the sightings in each namespace, the oldest first.
	namespaces map[string]*list.List
	// size is the number of sightings.
	size int
	// recorded holds failures that are recorded or need no record.
	recorded *lru.Cache
	// deleted holds the last states of deleted Jobs, by UID.
	deleted *lru.Cache
	// queue is the leader's work queue; nil on a standby.
	queue queue
}

// trace is a hash that a JobError of the Jobs with a name has for an occurrence.
type trace struct {
	job  types.NamespacedName
	hash string
}

func newPending(grace time.Duration) *pending {
	return &pending{
		grace:      grace,
		agendas:    map[types.NamespacedName]*agenda{},
		waits:      map[types.UID]map[place]bool{},
		traces:     map[trace][]place{},
		namespaces: map[string]*list.List{},
		recorded:   lru.New(maxRecorded),
		deleted:    lru.New(maxJobs),
	}
}

// lead enqueues all that is pending now and whatever is added later. It returns how many
// names of Jobs have anything pending.
func (p *pending) lead(q queue) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = q
	for key := range p.agendas {
		p.enqueue(key, 0)
	}
	return len(p.agendas)
}

// retry asks the leader to reconcile the Jobs with this name now.
func (p *pending) retry(key types.NamespacedName) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.enqueue(key, 0)
}

// enqueue asks the leader to reconcile the Jobs with this name after a delay.
func (p *pending) enqueue(key types.NamespacedName, delay time.Duration) {
	if p.queue != nil {
		p.queue.AddAfter(ctrl.Request{NamespacedName: key}, delay)
	}
}

// schedule enqueues a Job for the time when a sighting is due.
func (p *pending) schedule(at place, s *sighting, now time.Time) {
	if s.due != never {
		p.enqueue(at.job, max(0, s.due.Sub(now)))
	}
}

// add adds failures of a Job.
func (p *pending) add(key types.NamespacedName, job types.UID, failures []failure.Failure, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range failures {
		id := idOf(job, f)
		if _, recorded := p.recorded.Get(id); !recorded {
			p.put(place{key, id}, f, now)
		}
	}
}

// put adds a failure or updates it, and schedules it if there is anything new to look at.
func (p *pending) put(at place, f failure.Failure, now time.Time) {
	s := p.find(at)
	known := s != nil
	if !known {
		s = &sighting{firstSeen: now}
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
	if !known {
		p.insert(at, s)
	}
	if !known || better {
		p.reschedule(at, s, now)
	}
}

// insert adds a new sighting. If there are too many, the namespace with the most loses its
// oldest, so that no namespace costs another one its failures.
func (p *pending) insert(at place, s *sighting) {
	if s.Transient {
		s.waitingUID, s.waiting = s.Subject, true
		if p.waits[s.waitingUID] == nil {
			p.waits[s.waitingUID] = map[place]bool{}
		}
		p.waits[s.waitingUID][at] = true
	}
	s.due = s.dueAt(p.grace)
	a := p.agendas[at.job]
	if a == nil {
		a = newAgenda()
		p.agendas[at.job] = a
	}
	a.add(at.id, s)
	for _, hash := range s.Traces() {
		key := trace{at.job, hash}
		p.traces[key] = append(p.traces[key], at)
	}
	namespace := p.namespaces[at.job.Namespace]
	if namespace == nil {
		namespace = list.New()
		p.namespaces[at.job.Namespace] = namespace
	}
	s.age = namespace.PushBack(at)
	if p.size++; p.size > maxPending {
		p.evict()
	}
}

// reschedule schedules a sighting whose time may have changed.
func (p *pending) reschedule(at place, s *sighting, now time.Time) {
	a := p.agendas[at.job]
	if a == nil || a.sightings[at.id] != s {
		// It was evicted at once.
		return
	}
	if due := s.dueAt(p.grace); due != s.due {
		s.due = due
		a.move(s)
	}
	p.schedule(at, s, now)
}

// evict drops the oldest sighting of the namespace with the most. Only the leader loses a
// failure this way: on a standby, the leader has recorded it long ago.
func (p *pending) evict() {
	var most *list.List
	for _, namespace := range p.namespaces {
		if most == nil || namespace.Len() > most.Len() {
			most = namespace
		}
	}
	oldest := most.Front().Value.(place)
	if p.queue != nil {
		metrics.Dropped(oldest.job.Namespace, 1)
	}
	p.drop(oldest)
}

// update updates the transient failures of a pod or Job by what it waits for now. It
// drops the failures that the pod has recovered from, and enqueues those that it ends
// with.
func (p *pending) update(state failure.WaitState, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for at := range p.waits[state.UID] {
		s := p.find(at)
		wasWaiting := s.waiting
		switch {
		case !s.ended.IsZero():
			// How the pod ends says nothing more about what it waited for.
		case state.Recovered[s.Key] && (state.Since.IsZero() || s.At.Before(state.Since)):
			p.drop(at)
		case state.Ended && (wasWaiting || state.Waiting[s.Key]):
			s.waiting, s.ended = true, now
			p.reschedule(at, s, now)
		case state.Ended:
			p.drop(at)
		default:
			if s.waiting = s.FromEvent || state.Waiting[s.Key]; s.waiting != wasWaiting {
				p.reschedule(at, s, now)
			}
		}
	}
}

// due returns what is due for the Jobs with this name, by their UIDs, earliest first, and
// the time until the next failure is due; zero if there is none.
func (p *pending) due(key types.NamespacedName, now time.Time) (byJob map[types.UID][]sighting, next time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.agendas[key]
	if a == nil {
		return nil, 0
	}
	due, at := a.due(now)
	byJob = map[types.UID][]sighting{}
	for _, s := range due {
		job := s.age.Value.(place).id.job
		byJob[job] = append(byJob[job], *s)
	}
	for _, sightings := range byJob {
		slices.SortFunc(sightings, func(a, b sighting) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Occurrence, b.Occurrence))
		})
	}
	if at != never {
		next = max(at.Sub(now), batchDelay)
	}
	return byJob, next
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
	if p.agendas[key] == nil {
		return
	}
	for _, hash := range failure.TracesIn(je) {
		for _, at := range slices.Clone(p.traces[trace{key, hash}]) {
			if p.find(at).RecordedIn(je, key.Name, at.id.job) {
				p.dropForever(at)
			}
		}
	}
}

// countRefusal counts a refused attempt to record sightings.
func (p *pending) countRefusal(sightings []place) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range sightings {
		if s := p.find(at); s != nil {
			s.refusals++
		}
	}
}

// dropRefused notes that sightings wait because their namespace refuses records. It drops
// those that have waited for as long as patience lasts, and returns how many.
func (p *pending) dropRefused(sightings []place, now time.Time, patience time.Duration) (dropped int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, at := range sightings {
		switch s := p.find(at); {
		case s == nil:
		case s.refusedSince.IsZero():
			s.refusedSince = now
		case now.Sub(s.refusedSince) >= patience:
			p.dropForever(at)
			dropped++
		}
	}
	return dropped
}

// find returns the sighting at a place; nil if there is none.
func (p *pending) find(at place) *sighting {
	if a := p.agendas[at.job]; a != nil {
		return a.sightings[at.id]
	}
	return nil
}

func (p *pending) dropForever(at place) {
	p.recorded.Add(at.id, nil)
	p.drop(at)
}

func (p *pending) drop(at place) {
	s := p.find(at)
	if s == nil {
		return
	}
	p.size--
	if p.agendas[at.job].remove(at.id); len(p.agendas[at.job].sightings) == 0 {
		delete(p.agendas, at.job)
	}
	if delete(p.waits[s.waitingUID], at); len(p.waits[s.waitingUID]) == 0 {
		delete(p.waits, s.waitingUID)
	}
	for _, hash := range s.Traces() {
		p.dropTrace(trace{at.job, hash}, at)
	}
	namespace := p.namespaces[at.job.Namespace]
	if namespace.Remove(s.age); namespace.Len() == 0 {
		delete(p.namespaces, at.job.Namespace)
	}
}

func (p *pending) dropTrace(key trace, at place) {
	places := p.traces[key]
	i := slices.Index(places, at)
	if places = slices.Delete(places, i, i+1); len(places) == 0 {
		delete(p.traces, key)
		return
	}
	p.traces[key] = places
}

// rememberDeleted keeps the last state of a deleted Job: its pods may end after it.
func (p *pending) rememberDeleted(job *batchv1.Job) { p.deleted.Add(job.UID, job) }

// deletedJob returns the last state of a deleted Job; nil if it is not known.
func (p *pending) deletedJob(uid types.UID) *batchv1.Job {
	value, _ := p.deleted.Get(uid)
	job, _ := value.(*batchv1.Job)
	return job
}
