// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archiver

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// requests is a queue that a controller takes requests from only if the test says so.
type requests struct {
	mu    sync.Mutex
	names []string
}

func (r *requests) Add(request reconcile.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.names = append(r.names, request.Name)
}

func (r *requests) Len() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.names)
}

// take removes and returns all requests.
func (r *requests) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := r.names
	r.names = nil
	return names
}

func TestWakeUpsGiveWayToOtherWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := New(Options{}, nil)
		for n := range 2 * maxQueued {
			a.wakes = append(a.wakes, item(n))
		}
		q := &requests{}
		for range maxQueued - 1 {
			q.Add(reconcile.Request{})
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go a.Wake(ctx, q)
		expect := func(when string, want int) {
			t.Helper()
			time.Sleep(2 * wakeInterval)
			if got := q.Len(); got != want {
				t.Errorf("%s: the queue has %d requests, want %d", when, got, want)
			}
		}
		expect("there is room for one", maxQueued)
		q.Add(reconcile.Request{})
		expect("there is no room", maxQueued+1)
		if got := q.take()[maxQueued-1]; got != "0" {
			t.Errorf("woke up %s, want 0", got)
		}
		expect("the controller has done all", maxQueued)
		q.take()
		expect("the rest", maxQueued-1)
		if got := q.take()[maxQueued-2]; got != fmt.Sprint(2*maxQueued-1) {
			t.Errorf("woke up %s last", got)
		}
		expect("nothing is left", 0)
	})
}
