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

	"joberror.io/operator/internal/capture"
)

// How much is remembered of what needs no more work. Whatever is forgotten is
// found out again, from what is recorded.
const (
	rememberedFailures = 20_000
	rememberedJobs     = 4_000
)

// sighting is a failure that was seen and is not recorded yet.
type sighting struct {
	capture.Failure
	// since is when it was seen.
	since time.Time
}

// failureID tells the occurrences of all failures apart.
type failureID struct {
	job             types.UID
	key, occurrence string
}

func idOf(job types.UID, f capture.Failure) failureID {
	if f.Taken {
		return failureID{job, "taken", f.Occurrence}
	}
	return failureID{job, f.Key, f.Occurrence}
}

// pending holds what was seen to go wrong until it is recorded. The events of a
// watch are the only place to see it: the objects may be gone a moment later.
type pending struct {
	mu   sync.Mutex
	jobs map[types.NamespacedName]map[failureID]sighting
	// recorded are failures that are.
	recorded *lru.Cache
	// deleted are Jobs as they last were, by UID.
	deleted *lru.Cache
}

func newPending() *pending {
	return &pending{
		jobs:     map[types.NamespacedName]map[failureID]sighting{},
		recorded: lru.New(rememberedFailures),
		deleted:  lru.New(rememberedJobs),
	}
}

// add adds failures of a Job, and tells whether there was anything new. None
// happens after it was seen: a node's clock may be ahead.
func (p *pending) add(key types.NamespacedName, job types.UID, failures []capture.Failure, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	news := false
	for _, f := range failures {
		id := idOf(job, f)
		if _, known := p.recorded.Get(id); known {
			continue
		}
		if p.jobs[key] == nil {
			p.jobs[key] = map[failureID]sighting{}
		}
		seen, known := p.jobs[key][id]
		if !known {
			seen.since = now
		}
		if f.At.After(seen.since) {
			f.At = seen.since
		}
		if !known || f.Key == seen.Key {
			seen.Failure = f
		}
		p.jobs[key][id] = seen
		news = news || !known
	}
	return news
}

// of returns what is pending of the Jobs of that name, by their UIDs, and of
// each the earliest first.
func (p *pending) of(key types.NamespacedName) map[types.UID][]sighting {
	p.mu.Lock()
	defer p.mu.Unlock()
	byJob := map[types.UID][]sighting{}
	for id, s := range p.jobs[key] {
		byJob[id.job] = append(byJob[id.job], s)
	}
	for _, sightings := range byJob {
		slices.SortFunc(sightings, func(a, b sighting) int {
			return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Occurrence, b.Occurrence))
		})
	}
	return byJob
}

// done takes a failure out that is recorded, or need not be.
func (p *pending) done(key types.NamespacedName, job types.UID, f capture.Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id := idOf(job, f)
	p.recorded.Add(id, nil)
	p.drop(key, id)
}

// forget takes a failure out that was none after all.
func (p *pending) forget(key types.NamespacedName, job types.UID, f capture.Failure) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop(key, idOf(job, f))
}

func (p *pending) drop(key types.NamespacedName, id failureID) {
	delete(p.jobs[key], id)
	if len(p.jobs[key]) == 0 {
		delete(p.jobs, key)
	}
}

// remember keeps a Job that was deleted: its pods may end after it.
func (p *pending) remember(job *batchv1.Job) { p.deleted.Add(job.UID, job) }

// remembered is a Job that was deleted; nil where it is not known.
func (p *pending) remembered(uid types.UID) *batchv1.Job { return found(p.deleted.Get(uid)) }
