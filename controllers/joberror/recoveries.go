// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/owner"
)

// recoveries knows which transient failures the pods of each Job show, and from which they
// have recovered. It counts the pods as they change, because reading all pods of a Job for
// each of its errors takes too long for thousands of pods.
type recoveries struct {
	mu sync.Mutex
	// failures holds the pods of each failure that a pod shows or has recovered from.
	failures map[failure.ErrorID]podCount
	// created holds the latest pod of each Job.
	created map[types.UID]latestPod
}

// podCount counts pods of one Job for one transient failure.
type podCount struct {
	waiting, recovered int32
	// latest is the name of the pod that recovered last.
	latest string
}

// ended reports whether a pod recovered and none waits.
func (c podCount) ended() bool { return c.waiting == 0 && c.recovered > 0 }

// latestPod holds how many pods a Job has, and which of them was created last.
type latestPod struct {
	pods int
	name string
	at   metav1.Time
}

func newRecoveries() *recoveries {
	return &recoveries{failures: map[failure.ErrorID]podCount{}, created: map[types.UID]latestPod{}}
}

// update replaces the state of a pod, and returns the names of the JobErrors whose failure may
// have ended with that. before is nil for a new pod, and after for a deleted one.
func (r *recoveries) update(before, after *corev1.Pod) []types.NamespacedName {
	was, is := stateOf(before), stateOf(after)
	if was.equal(is) {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	changed := append(r.count(is.without(was), 1), r.count(was.without(is), -1)...)
	ended := slices.DeleteFunc(changed, func(name types.NamespacedName) bool { return !r.failures[failure.IDOf(name.Name)].ended() })
	if was.uid == is.uid {
		return ended
	}
	r.countPod(was, -1)
	if r.countPod(is, 1); is.uid != "" {
		ended = append(ended, is.name(failure.FailedCreateKey()))
	}
	return ended
}

// count counts what a pod shows n times, and returns the names of the JobErrors.
func (r *recoveries) count(s podState, n int32) []types.NamespacedName {
	var names []types.NamespacedName
	change := func(key string, apply func(*podCount)) {
		name := s.name(key)
		id := failure.IDOf(name.Name)
		c := r.failures[id]
		if apply(&c); c.waiting == 0 && c.recovered == 0 {
			delete(r.failures, id)
		} else {
			r.failures[id] = c
		}
		names = append(names, name)
	}
	for _, key := range s.waiting {
		change(key, func(c *podCount) { c.waiting += n })
	}
	for _, key := range s.recovered {
		change(key, func(c *podCount) {
			if c.recovered += n; n > 0 {
				c.latest = s.pod
			}
		})
	}
	return names
}

// countPod counts a pod of a Job n times.
func (r *recoveries) countPod(s podState, n int) {
	latest := r.created[s.uid]
	if latest.pods += n; s.uid == "" || latest.pods == 0 {
		delete(r.created, s.uid)
		return
	}
	if n > 0 && !s.at.Before(&latest.at) {
		latest.name, latest.at = s.pod, s.at
	}
	r.created[s.uid] = latest
}

// recovered returns the name of a pod that recovered from the failure of the JobError with
// this name; empty if there is none, or if another pod still shows the failure.
func (r *recoveries) recovered(jobError string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.failures[failure.IDOf(jobError)]; c.ended() {
		return c.latest
	}
	return ""
}

// createdAfter returns the name of a pod of a Job that was created after a time; empty if
// none was.
func (r *recoveries) createdAfter(job types.UID, at *metav1.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if latest := r.created[job]; at.Before(&latest.at) {
		return latest.name
	}
	return ""
}

// podState holds the keys of the transient failures that a pod of a Job shows, and of those
// that it has recovered from.
type podState struct {
	pod                string
	at                 metav1.Time
	job                types.NamespacedName
	uid                types.UID
	waiting, recovered []string
}

// stateOf returns the state of a pod. Without a pod or its Job, the state has no UID.
func stateOf(pod *corev1.Pod) podState {
	if pod == nil {
		return podState{}
	}
	job, uid := owner.Job(pod)
	if uid == "" {
		return podState{}
	}
	return podState{pod.Name, pod.CreationTimestamp, job, uid, failure.WaitingKeys(pod), failure.RecoveredKeys(pod)}
}

func (s podState) equal(other podState) bool {
	return s.uid == other.uid && slices.Equal(s.waiting, other.waiting) && slices.Equal(s.recovered, other.recovered)
}

// without returns a state with only what another state of the pod does not show.
func (s podState) without(other podState) podState {
	if s.uid == other.uid {
		s.waiting, s.recovered = difference(s.waiting, other.waiting), difference(s.recovered, other.recovered)
	}
	return s
}

// difference returns the keys that are not among the others, which are sorted.
func difference(keys, others []string) []string {
	var only []string
	for _, key := range keys {
		if _, found := slices.BinarySearch(others, key); !found {
			only = append(only, key)
		}
	}
	return only
}

// name returns the name of the JobError of a failure.
func (s podState) name(key string) types.NamespacedName {
	return types.NamespacedName{Namespace: s.job.Namespace, Name: failure.ErrorName(s.job.Name, s.uid, key)}
}
