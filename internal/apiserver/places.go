// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import "sync"

const (
	// waitingPlaces limits the requests that wait for their resolution. They hold no memory of the
	// budget. A request that finds no place answers 202 at once.
	waitingPlaces = 100
	// archivePlaces limits the requests that read the archive.
	archivePlaces = 4
)

// places limits the requests of one kind that are in progress in one replica. One namespace
// leaves half of the places to the others.
type places struct {
	limit int

	mu         sync.Mutex
	all        int
	namespaces map[string]int
}

func newPlaces(limit int) *places { return &places{limit: limit, namespaces: map[string]int{}} }

// ofNamespace returns the limit of one namespace.
func (p *places) ofNamespace() int { return p.limit / 2 }

// enter takes a place for a request about a namespace until the request calls leave. It returns
// false if all places are taken.
func (p *places) enter(namespace string) (leave func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all >= p.limit || p.namespaces[namespace] >= p.ofNamespace() {
		return nil, false
	}
	p.all++
	p.namespaces[namespace]++
	return sync.OnceFunc(func() { p.release(namespace) }), true
}

func (p *places) release(namespace string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	if p.namespaces[namespace]--; p.namespaces[namespace] == 0 {
		delete(p.namespaces, namespace)
	}
}
