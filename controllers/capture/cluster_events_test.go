// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testingclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/jobref/jobreftest"
)

// The watch of Events may be behind the watch of pods, for example after the API server
// restarted.
func TestLateEventAboutAPodThatWasCreatedSince(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		created *time.Time
		want    int
	}{
		"no pod":                     {nil, 1},
		"a pod from before":          {ptr.To(now.Add(-time.Minute)), 1},
		"a pod that was created now": {ptr.To(now), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var objects []client.Object
			if tc.created != nil {
				objects = append(objects, podOf(backup.Name, *tc.created))
			}
			p := newPending(grace)
			handler := &eventHandler{
				cached: jobreftest.Cache(t, interceptor.Funcs{}, objects...), clock: testingclock.NewFakePassiveClock(now), pending: p, deletions: failure.NewDeletionMemory(),
			}
			e := &clusterEvents{eventHandler: handler}
			e.handleJobEvent(t.Context(), &corev1.Event{
				InvolvedObject: corev1.ObjectReference{Namespace: backup.Namespace, Name: backup.Name, UID: "a"},
				Reason:         "FailedCreate", LastTimestamp: metav1.NewTime(now.Add(-time.Second)),
			})
			if p.size != tc.want {
				t.Errorf("%d failures are pending, want %d", p.size, tc.want)
			}
		})
	}
}

func podOf(job string, created time.Time) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{
		Namespace: backup.Namespace, Name: job + "-1", UID: "p", CreationTimestamp: metav1.NewTime(created),
		Labels:          map[string]string{batchv1.JobNameLabel: job},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: job, UID: "a", Controller: ptr.To(true)}},
	}}
}
