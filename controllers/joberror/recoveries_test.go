// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"fmt"
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"joberror.io/operator/internal/failure"
)

var (
	waiting  = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}}
	creating = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}
	running  = corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
)

// podOf returns a pod of a Job, created a while ago.
func podOf(job *batchv1.Job, name string, state corev1.ContainerState) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: job.Namespace, Name: name, CreationTimestamp: metav1.NewTime(earlier),
		OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(job, batchv1.SchemeGroupVersion.WithKind("Job"))},
	}}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", State: state}}
	return p
}

func imageError(job *batchv1.Job) string {
	return failure.ErrorName(job.Name, job.UID, "wait/main/ImagePullBackOff")
}

func TestRecoveredPod(t *testing.T) {
	t.Parallel()
	own, other := job(""), job("")
	other.UID = "another"
	type change struct{ before, after *corev1.Pod }
	added := func(pods ...*corev1.Pod) []change {
		var changes []change
		for _, pod := range pods {
			changes = append(changes, change{nil, pod})
		}
		return changes
	}
	stuck, runs := podOf(own, "stuck", waiting), podOf(own, "runs", running)
	evicted := podOf(own, "evicted", waiting)
	evicted.Status.Phase, evicted.Status.Reason = corev1.PodFailed, "Evicted"
	for name, tc := range map[string]struct {
		changes []change
		want    string
	}{
		"there is no pod":                {nil, ""},
		"a pod runs":                     {added(runs), "runs"},
		"a pod still waits":              {added(stuck), ""},
		"another pod still waits":        {added(runs, stuck), ""},
		"a pod does not run yet":         {added(podOf(own, "a", creating)), ""},
		"a pod of another Job runs":      {added(podOf(other, "a", running)), ""},
		"a pod of another Job waits":     {added(runs, podOf(other, "b", waiting)), "runs"},
		"the pod that waited runs":       {append(added(stuck), change{stuck, podOf(own, "stuck", running)}), "stuck"},
		"the pod that waits is gone":     {append(added(runs, stuck), change{stuck, nil}), "runs"},
		"the pod that waits was evicted": {append(added(runs, stuck), change{stuck, evicted}), "runs"},
		"the pod that ran is gone":       {append(added(runs), change{runs, nil}), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRecoveries()
			for _, c := range tc.changes {
				r.update(c.before, c.after)
			}
			for n := range 2 {
				if got := r.recovered(failure.NumberedName(imageError(own), n+1)); got != tc.want {
					t.Errorf("recovered = %q, want %q", got, tc.want)
				}
			}
			for _, c := range tc.changes {
				r.update(c.after, nil)
				r.update(nil, c.before)
			}
			if len(r.failures) != 0 || len(r.created) != 0 {
				t.Errorf("without pods, %v and %v are left", r.failures, r.created)
			}
		})
	}
}

func TestPodCreatedAfterAFailure(t *testing.T) {
	t.Parallel()
	r, own := newRecoveries(), job("")
	first, second := podOf(own, "first", creating), podOf(own, "second", creating)
	second.CreationTimestamp = metav1.NewTime(now)
	r.update(nil, second)
	r.update(nil, first)
	for at, want := range map[metav1.Time]string{metav1.NewTime(earlier): "second", metav1.NewTime(now): ""} {
		if got := r.createdAfter(own.UID, &at); got != want {
			t.Errorf("createdAfter(%s) = %q, want %q", at, got, want)
		}
	}
	if got := r.createdAfter("another", &metav1.Time{Time: earlier}); got != "" {
		t.Errorf("createdAfter of another Job = %q", got)
	}
}

// A running pod changes often without recovering from anything.
func TestOnlyARecoveryEndsErrors(t *testing.T) {
	t.Parallel()
	r, own := newRecoveries(), job("")
	stuck, runs := podOf(own, "a", waiting), podOf(own, "a", running)
	ended := func(before, after *corev1.Pod) []string {
		var names []string
		for _, key := range r.update(before, after) {
			names = append(names, key.Name)
		}
		return names
	}
	if got := ended(nil, stuck); !slices.Equal(got, []string{failure.ErrorName(own.Name, own.UID, failure.FailedCreateKey())}) {
		t.Errorf("a new pod that waits ends %v, want only the failure to create one", got)
	}
	if got := ended(stuck, runs); !slices.Contains(got, imageError(own)) {
		t.Errorf("a pod that starts ends %v, want %s", got, imageError(own))
	}
	if got := ended(runs, runs.DeepCopy()); len(got) > 0 {
		t.Errorf("a pod that goes on ends %v", got)
	}
}

// BenchmarkRecoveries shows the time for each of n pods of one Job that wait and recover. It
// must not grow with n.
func BenchmarkRecoveries(b *testing.B) {
	own := job("")
	for _, n := range []int{2_000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				r := newRecoveries()
				for i := range n {
					r.update(nil, podOf(own, fmt.Sprint(i), waiting))
				}
				for i := range n {
					r.update(podOf(own, fmt.Sprint(i), waiting), podOf(own, fmt.Sprint(i), running))
					if ended := r.recovered(imageError(own)) != ""; ended != (i == n-1) {
						b.Fatalf("after %d of %d pods, the error has ended: %t", i+1, n, ended)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/pod")
		})
	}
}
