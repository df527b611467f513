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

// request reads "namespace/name".
func request(text string) reconcile.Request {
	namespace, name, _ := strings.Cut(text, "/")
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}
}

func queue(t *testing.T) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	t.Helper()
	limiter := workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Millisecond, time.Second)
	q := New("", limiter)
	t.Cleanup(q.ShutDown)
	return q
}

func TestNamespacesTakeTurns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, out string }{
		{name: "one namespace's requests keep their order", in: "a/1 a/2 a/3", out: "a/1 a/2 a/3"},
		{name: "a latecomer waits for one turn", in: "a/1 a/2 a/3 a/4 b/1", out: "a/1 b/1 a/2 a/3 a/4"},
		{name: "all take turns", in: "a/1 a/2 a/3 b/1 b/2 c/1", out: "a/1 b/1 c/1 a/2 b/2 a/3"},
		{name: "the same request waits once", in: "a/1 b/1 a/1 a/2 a/1", out: "a/1 b/1 a/2"},
		{name: "what has no namespace is one more", in: "a/1 a/2 /n", out: "a/1 /n a/2"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			q := queue(t)
			for _, text := range strings.Fields(tc.in) {
				q.Add(request(text))
			}
			if want := len(strings.Fields(tc.out)); q.Len() != want {
				t.Errorf("%d requests wait, want %d", q.Len(), want)
			}
			for _, want := range strings.Fields(tc.out) {
				got, _ := q.Get()
				if got != request(want) {
					t.Fatalf("got %v, want %v", got, want)
				}
				q.Done(got)
			}
			if q.Len() != 0 {
				t.Errorf("%d requests are left", q.Len())
			}
		})
	}
}

func TestANamespaceThatComesBackQueuesUpAnew(t *testing.T) {
	t.Parallel()
	q := queue(t)
	q.Add(request("a/1"))
	q.Add(request("b/1"))
	q.Add(request("b/2"))
	first, _ := q.Get()
	q.Add(request("a/2"))
	for _, want := range []string{"b/1", "a/2", "b/2"} {
		if got, _ := q.Get(); got != request(want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	q.Done(first)
}

func TestWhatIsAddedForLaterTakesItsTurnThen(t *testing.T) {
	t.Parallel()
	q := queue(t)
	q.AddAfter(request("a/1"), time.Millisecond)
	if got, _ := q.Get(); got != request("a/1") {
		t.Errorf("got %v", got)
	}
	q.AddRateLimited(request("a/2"))
	if got, _ := q.Get(); got != request("a/2") {
		t.Errorf("got %v", got)
	}
}
