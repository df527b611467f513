// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorresolution

import (
	"context"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// maxPerNamespace limits the resolutions of all errors of a job that are under way in one
// namespace, so that a few namespaces cannot occupy all workers for hours.
const maxPerNamespace = 4

// subject is what two resolutions must not change at the same time: they would read and
// write the same errors, and one of them would find nothing left to do.
type subject struct {
	// job identifies the job within its namespace.
	job      string
	resolved bool
}

// turns lets the resolutions of all errors of a job take turns: one at a time for each job
// and direction, and maxPerNamespace in a namespace. A resolution that has to wait does not
// occupy a worker. Turns are kept in memory only: two leaders at the same time cost some
// conflicts, but the writes are still correct.
type turns struct {
	mu    sync.Mutex
	lines map[string]*line
	// queue is the controller's work queue.
	queue workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// line holds the resolutions of one namespace.
type line struct {
	running map[types.NamespacedName]subject
	// waiting holds the resolutions that wait, in the order of their arrival.
	waiting []waiting
}

type waiting struct {
	key     types.NamespacedName
	subject subject
}

func newTurns() *turns { return &turns{lines: map[string]*line{}} }

// start keeps the controller's work queue. It is a source of the controller.
func (t *turns) start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = queue
	return nil
}

// wrap returns a reconciler that ends the turn of each resolution after its reconcile.
func (t *turns) wrap(reconciler reconcile.Reconciler) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
		defer t.end(request.NamespacedName)
		return reconciler.Reconcile(ctx, request)
	})
}

// take reports whether it is the resolution's turn. If not, the resolution is queued again
// when its turn comes.
func (t *turns) take(key types.NamespacedName, s subject) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[key.Namespace]
	if l == nil {
		l = &line{running: map[types.NamespacedName]subject{}}
		t.lines[key.Namespace] = l
	}
	if _, running := l.running[key]; running {
		return true
	}
	if !slices.ContainsFunc(l.waiting, func(w waiting) bool { return w.key == key }) {
		l.waiting = append(l.waiting, waiting{key, s})
	}
	return slices.Contains(l.next(), key)
}

// end ends the turn of a resolution, if it has one, and queues those whose turn comes.
func (t *turns) end(key types.NamespacedName) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[key.Namespace]
	if l == nil {
		return
	}
	if _, running := l.running[key]; !running {
		return
	}
	delete(l.running, key)
	for _, next := range l.next() {
		t.queue.Add(reconcile.Request{NamespacedName: next})
	}
	if len(l.running) == 0 {
		delete(t.lines, key.Namespace)
	}
}

// next moves the resolutions whose turn it is from waiting to running, and returns them.
func (l *line) next() []types.NamespacedName {
	busy := map[subject]bool{}
	for _, s := range l.running {
		busy[s] = true
	}
	var started []types.NamespacedName
	l.waiting = slices.DeleteFunc(l.waiting, func(w waiting) bool {
		if len(l.running) >= maxPerNamespace || busy[w.subject] {
			return false
		}
		busy[w.subject], l.running[w.key] = true, w.subject
		started = append(started, w.key)
		return true
	})
	return started
}
