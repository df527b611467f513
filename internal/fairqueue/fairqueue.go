// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package fairqueue makes the namespaces take turns: ten thousand requests in one
// namespace delay a single request in another by one turn at most.
package fairqueue

import (
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// Limits of the delay before a failed reconcile is tried again. Once the API server is
// back, work continues within maxRetryDelay.
const (
	minRetryDelay = 5 * time.Millisecond
	maxRetryDelay = 30 * time.Second
)

// ControllerOptions returns the options of a controller with this many workers, whose
// namespaces take turns.
func ControllerOptions(workers int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		NewQueue:                New,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](minRetryDelay, maxRetryDelay),
	}
}

// New returns a controller's work queue in which the namespaces take turns. Within a
// namespace, it is first in, first out.
func New(name string, limiter workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	base := workqueue.NewTypedWithConfig(workqueue.TypedQueueConfig[reconcile.Request]{Name: name, Queue: newTurns()})
	return workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[reconcile.Request]{
		Name:          name,
		DelayingQueue: workqueue.NewTypedDelayingQueueWithConfig(workqueue.TypedDelayingQueueConfig[reconcile.Request]{Name: name, Queue: base}),
	})
}

// turns holds the requests of each namespace in a separate queue. The work queue calls
// its methods one at a time.
type turns struct {
	queues map[string]workqueue.Queue[reconcile.Request]
	// next holds the namespaces with requests, in the order of their turns.
	next workqueue.Queue[string]
	size int
}

var _ workqueue.Queue[reconcile.Request] = &turns{}

func newTurns() *turns {
	return &turns{queues: map[string]workqueue.Queue[reconcile.Request]{}, next: workqueue.DefaultQueue[string]()}
}

// Touch leaves a request that is already waiting in its place.
func (t *turns) Touch(reconcile.Request) {}

// Len returns how many requests are waiting.
func (t *turns) Len() int { return t.size }

// Push appends a request to the queue of its namespace.
func (t *turns) Push(request reconcile.Request) {
	queue, waiting := t.queues[request.Namespace]
	if !waiting {
		queue = workqueue.DefaultQueue[reconcile.Request]()
		t.queues[request.Namespace] = queue
		t.next.Push(request.Namespace)
	}
	queue.Push(request)
	t.size++
}

// Pop removes and returns the first request of the namespace whose turn it is.
func (t *turns) Pop() reconcile.Request {
	namespace := t.next.Pop()
	queue := t.queues[namespace]
	request := queue.Pop()
	t.size--
	if queue.Len() > 0 {
		t.next.Push(namespace)
	} else {
		delete(t.queues, namespace)
	}
	return request
}
