// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import "sync"

// Limits of the requests that wait for their resolution, in one replica. They hold no memory
// of the budget. A request that finds no place answers 202 at once.
const (
	waitingOfAll       = 100
	waitingOfNamespace = waitingOfAll / 2
)

// waitingRoom limits the requests that wait.
type waitingRoom struct {
	mu         sync.Mutex
	all        int
	namespaces map[string]int
}

func newWaitingRoom() *waitingRoom { return &waitingRoom{namespaces: map[string]int{}} }

// enter reports whether a request about a namespace may wait. If so, leave must be called
// afterwards.
func (w *waitingRoom) enter(namespace string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.all >= waitingOfAll || w.namespaces[namespace] >= waitingOfNamespace {
		return false
	}
	w.all++
	w.namespaces[namespace]++
	return true
}

func (w *waitingRoom) leave(namespace string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all--
	if w.namespaces[namespace]--; w.namespaces[namespace] == 0 {
		delete(w.namespaces, namespace)
	}
}
