// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fairqueue

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// request returns the request for "namespace/name".
func request(text string) reconcile.Request {
	namespace, name, _ := strings.Cut(text, "/")
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
}

func newQueue(t *testing.T) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	t.Helper()
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Millisecond, time.Second)
	q := New("", limiter)
	t.Cleanup(q.ShutDown)
	return q
}

func TestNamespacesTakeTurns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, out string }{
		{name: "the requests of one namespace keep their order", in: "a/1 a/2 a/3", out: "a/1 a/2 a/3"},
		{name: "a namespace that comes later waits for one turn", in: "a/1 a/2 a/3 a/4 b/1", out: "a/1 b/1 a/2 a/3 a/4"},
		{name: "all namespaces take turns", in: "a/1 a/2 a/3 b/1 b/2 c/1", out: "a/1 b/1 c/1 a/2 b/2 a/3"},
		{name: "a request that is added twice waits once", in: "a/1 b/1 a/1 a/2 a/1", out: "a/1 b/1 a/2"},
		{name: "cluster-scoped requests take turns like a namespace", in: "a/1 a/2 /n", out: "a/1 /n a/2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			q := newQueue(t)
			for _, text := range strings.Fields(tc.in) {
				q.Add(request(text))
			}
			if want := len(strings.Fields(tc.out)); q.Len() != want {
				t.Errorf("Len = %d, want %d", q.Len(), want)
			}
			for _, want := range strings.Fields(tc.out) {
				got, _ := q.Get()
				if got != request(want) {
					t.Fatalf("Get = %v, want %v", got, want)
				}
				q.Done(got)
			}
			if q.Len() != 0 {
				t.Errorf("Len at the end = %d, want 0", q.Len())
			}
		})
	}
}

func TestANamespaceWithANewRequestWaitsForItsNextTurn(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.Add(request("a/1"))
	q.Add(request("b/1"))
	q.Add(request("b/2"))
	first, _ := q.Get()
	q.Add(request("a/2"))
	for _, want := range []string{"b/1", "a/2", "b/2"} {
		if got, _ := q.Get(); got != request(want) {
			t.Errorf("Get = %v, want %v", got, want)
		}
	}
	q.Done(first)
}

func TestDelayedRequestsAreQueuedAfterTheDelay(t *testing.T) {
	t.Parallel()
	q := newQueue(t)
	q.AddAfter(request("a/1"), time.Millisecond)
	if got, _ := q.Get(); got != request("a/1") {
		t.Errorf("Get = %v", got)
	}
	q.AddRateLimited(request("a/2"))
	if got, _ := q.Get(); got != request("a/2") {
		t.Errorf("Get = %v", got)
	}
}

func TestControllerOptionsLimitTheRetryDelay(t *testing.T) {
	t.Parallel()
	opts := ControllerOptions(3)
	if opts.MaxConcurrentReconciles != 3 || opts.NewQueue == nil {
		t.Errorf("options = %+v, want 3 workers and the fair queue", opts)
	}
	first := opts.RateLimiter.When(request("a/1"))
	var last time.Duration
	for range 100 {
		last = opts.RateLimiter.When(request("a/1"))
	}
	if first != minRetryDelay || last != maxRetryDelay {
		t.Errorf("delays from %s to %s, want %s to %s", first, last, minRetryDelay, maxRetryDelay)
	}
}
