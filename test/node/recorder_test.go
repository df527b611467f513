//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"joberror.io/operator/test/harness"
)

// event is a change to a pod, as a watch delivered it.
type event struct {
	Type watch.EventType `json:"type"`
	At   time.Time       `json:"at"`
	Pod  *corev1.Pod     `json:"object"`
}

// recorder records the changes to the pods in a namespace.
type recorder struct {
	mu     sync.Mutex
	events []event
}

// record records all changes to the pods in a namespace until the test ends.
func record(t *testing.T, ns string) *recorder {
	t.Helper()
	clientset, err := kubernetes.NewForConfig(cluster.Config())
	if err != nil {
		t.Fatal(err)
	}
	list, err := clientset.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	watcher, err := clientset.CoreV1().Pods(ns).Watch(t.Context(), metav1.ListOptions{ResourceVersion: list.ResourceVersion})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(watcher.Stop)
	r := &recorder{}
	go func() {
		for e := range watcher.ResultChan() {
			pod, ok := e.Object.(*corev1.Pod)
			if !ok {
				continue
			}
			r.mu.Lock()
			r.events = append(r.events, event{Type: e.Type, At: time.Now(), Pod: pod})
			r.mu.Unlock()
		}
	}()
	return r
}

// all returns the events recorded so far.
func (r *recorder) all() []event {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// await waits until an event matches, and returns its pod.
func (r *recorder) await(t *testing.T, state string, matches func(event) bool) *corev1.Pod {
	t.Helper()
	return r.awaitIn(t, harness.Timeout, state, matches)
}

// awaitIn is await with its own timeout.
func (r *recorder) awaitIn(t *testing.T, timeout time.Duration, state string, matches func(event) bool) *corev1.Pod {
	t.Helper()
	var found *corev1.Pod
	harness.EventuallyWithin(t, timeout, func() string {
		events := r.all()
		if i := slices.IndexFunc(events, matches); i >= 0 {
			found = events[i].Pod
			return ""
		}
		return fmt.Sprintf("no pod is %s after %d events", state, len(events))
	})
	return found
}

// awaitDeleted waits until n pods have been deleted.
func (r *recorder) awaitDeleted(t *testing.T, n int) {
	t.Helper()
	harness.Eventually(t, func() string {
		deleted := 0
		for _, e := range r.all() {
			if e.Type == watch.Deleted {
				deleted++
			}
		}
		if deleted < n {
			return fmt.Sprintf("%d of %d pods are deleted", deleted, n)
		}
		return ""
	})
}

// isRunning matches a pod whose main containers run.
func isRunning(e event) bool {
	return e.Pod.Status.Phase == corev1.PodRunning && !slices.ContainsFunc(e.Pod.Status.ContainerStatuses,
		func(s corev1.ContainerStatus) bool { return s.State.Running == nil })
}

// isDeleted matches a pod that has been deleted.
func isDeleted(e event) bool { return e.Type == watch.Deleted }

// hasEnded matches a pod in a final phase.
func hasEnded(e event) bool {
	return e.Pod.Status.Phase == corev1.PodFailed || e.Pod.Status.Phase == corev1.PodSucceeded
}

// terminated matches a pod whose container with this name has ended.
func terminated(name string) func(event) bool {
	return func(e event) bool {
		return slices.ContainsFunc(slices.Concat(e.Pod.Status.InitContainerStatuses, e.Pod.Status.ContainerStatuses),
			func(s corev1.ContainerStatus) bool { return s.Name == name && s.State.Terminated != nil })
	}
}
