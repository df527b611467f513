// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"context"
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// newQueuedTurns returns turns with a work queue.
func newQueuedTurns(t *testing.T) *turns {
	t.Helper()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	t.Cleanup(queue.ShutDown)
	turns := newTurns()
	if err := turns.start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	return turns
}

// parse returns the key and the subject of "namespace/job", "namespace/job/2" for a second
// resolution, or "namespace/-job" for one that reopens.
func parse(text string) (types.NamespacedName, subject) {
	parts := strings.Split(text, "/")
	job, reopens := strings.CutPrefix(parts[1], "-")
	return types.NamespacedName{Namespace: parts[0], Name: strings.Join(parts[1:], "/")}, subject{job: job, resolved: !reopens}
}

// queued returns the requests in the queue.
func queued(turns *turns) string {
	var names []string
	for turns.queue.Len() > 0 {
		request, _ := turns.queue.Get()
		turns.queue.Done(request)
		names = append(names, request.Namespace+"/"+request.Name)
	}
	return strings.Join(names, " ")
}

func TestResolutionsTakeTurns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		// take lists the resolutions in the order of their arrival. Those that wait are
		// marked with a question mark.
		take string
		// end lists the resolutions that end, and next the ones queued then.
		end, next string
	}{
		{name: "jobs do not wait for each other", take: "a/x a/y b/x", end: "a/x a/y b/x"},
		{name: "a second resolution of a job waits", take: "a/x a/x/2?", end: "a/x", next: "a/x/2"},
		{name: "both directions run", take: "a/x a/-x", end: "a/x"},
		{name: "the first to come is the next", take: "a/x a/x/2? a/x/3?", end: "a/x", next: "a/x/2"},
		{name: "each has its turn", take: "a/x a/x/2? a/x/3?", end: "a/x a/x/2", next: "a/x/2 a/x/3"},
		{name: "a resolution keeps its place", take: "a/x a/x/2? a/x/3? a/x/2?", end: "a/x", next: "a/x/2"},
		{name: "a resolution keeps its turn", take: "a/x a/x", end: "a/x"},
		{name: "a waiting resolution that ends its reconcile keeps its place", take: "a/x a/x/2?", end: "a/x/2 a/x", next: "a/x/2"},
		{name: "a namespace has four", take: "a/1 a/2 a/3 a/4 a/5? b/1", end: "a/2", next: "a/5"},
		{name: "a free job passes a busy one", take: "a/1 a/2 a/3 a/4 a/1/2? a/5?", end: "a/4", next: "a/5"},
		{name: "the end of an unknown resolution queues none", take: "a/x a/x/2?", end: "a/y c/x"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			turns := newQueuedTurns(t)
			for _, text := range strings.Fields(tc.take) {
				name, waits := strings.CutSuffix(text, "?")
				if taken := turns.take(parse(name)); taken == waits {
					t.Errorf("take %s = %t, want %t", name, taken, !waits)
				}
			}
			for _, name := range strings.Fields(tc.end) {
				key, _ := parse(name)
				turns.end(key)
			}
			if got := queued(turns); got != tc.next {
				t.Errorf("queued = %q, want %q", got, tc.next)
			}
		})
	}
}

// A resolution whose turn comes may be deleted or fail. Its reconcile ends its turn anyway.
func TestEachReconcileEndsTheTurn(t *testing.T) {
	t.Parallel()
	turns := newQueuedTurns(t)
	first, s := parse("a/x")
	second, _ := parse("a/x/2")
	turns.take(first, s)
	turns.take(second, s)
	fails := turns.wrap(reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
		return reconcile.Result{}, errors.New("busy")
	}))
	for _, key := range []types.NamespacedName{first, second} {
		if _, err := fails.Reconcile(t.Context(), reconcile.Request{NamespacedName: key}); err == nil {
			t.Errorf("reconcile %s: no error", key)
		}
	}
	if len(turns.lines) != 0 {
		t.Errorf("lines = %v, want none left", turns.lines)
	}
}
