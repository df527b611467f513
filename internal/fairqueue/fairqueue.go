// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package fairqueue gives the namespaces turns: ten thousand requests of one
// keep a single request of another waiting for no more than one turn.
package fairqueue

import (
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// New is a controller's work queue whose namespaces take turns. Within a
// namespace, requests come out in the order in which they went in.
func New(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	base := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[reconcile.Request]{Name: name, Queue: newTurns()})
	return workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[reconcile.Request]{
		Name:          name,
		DelayingQueue: workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[reconcile.Request]{Name: name, Queue: base}),
	})
}

// turns holds the requests of each namespace in a line of its own. The work
// queue keeps it from being used by two at a time.
type turns struct {
	lines map[string]workqueue.Queue[reconcile.Request]
	// next are the namespaces that have requests, in the order of their turns.
	next workqueue.Queue[string]
	size int
}

var _ workqueue.Queue[reconcile.Request] = &turns{}

func newTurns() *turns {
	return &turns{lines: map[string]workqueue.Queue[reconcile.Request]{}, next: workqueue.DefaultQueue[string]()}
}

// Touch leaves a request that is waiting already in its place.
func (t *turns) Touch(reconcile.Request) {}

func (t *turns) Len() int { return t.size }

func (t *turns) Push(request reconcile.Request) {
	line, waiting := t.lines[request.Namespace]
	if !waiting {
		line = workqueue.DefaultQueue[reconcile.Request]()
		t.lines[request.Namespace] = line
		t.next.Push(request.Namespace)
	}
	line.Push(request)
	t.size++
}

func (t *turns) Pop() reconcile.Request {
	namespace := t.next.Pop()
	line := t.lines[namespace]
	request := line.Pop()
	t.size--
	if line.Len() > 0 {
		t.next.Push(namespace)
	} else {
		delete(t.lines, namespace)
	}
	return request
}
