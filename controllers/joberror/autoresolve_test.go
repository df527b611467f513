// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
)

func completedAt(at time.Time) *batchv1.Job {
	j := job("")
	j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, LastTransitionTime: metav1.NewTime(at)}}
	return j
}

func optedOut(j *batchv1.Job) *batchv1.Job {
	j.Annotations = map[string]string{joberrorv1.AnnotationAutoResolve: "false"}
	return j
}

func TestEndedBy(t *testing.T) {
	t.Parallel()
	running := job("")
	running.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionFalse}}
	again := jobError(3, reopened, marked(attribution.Mark{By: "x", Generation: 3, Cause: attribution.Cause{Reason: attribution.FailedAgain}}))
	for _, tc := range []struct {
		name string
		je   *joberrorv1.JobError
		job  *batchv1.Job
		want bool
	}{
		{"the Job completed", jobError(1), completedAt(now), true},
		{"the Job did not complete", jobError(1), running, false},
		{"the Job is opted out", jobError(1), optedOut(completedAt(now)), false},
		{"an open error", jobError(1, observed(1)), completedAt(now), true},
		{"reopened before the success", jobError(3, reopened), completedAt(now), true},
		{"reopened after the success", jobError(3, reopened), completedAt(earlier.Add(-time.Hour)), false},
		{"reopened because it failed again", again, completedAt(earlier.Add(-time.Hour)), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := endedBy(tc.je, completionOf(tc.job)); got != tc.want {
				t.Errorf("endedBy = %t, want %t", got, tc.want)
			}
		})
	}
}

func TestStartedAfter(t *testing.T) {
	t.Parallel()
	je := jobError(1)
	run := job("")
	run.CreationTimestamp = metav1.NewTime(now)
	if startedAfter(je, run.CreationTimestamp) {
		t.Error("a run started after an error that was never seen")
	}
	for at, want := range map[time.Time]bool{earlier: true, now: true, now.Add(time.Second): false} {
		je.Status.LastSeen = &metav1.Time{Time: at}
		if got := startedAfter(je, run.CreationTimestamp); got != want {
			t.Errorf("a run created at %s started after %s: %t", now, at, got)
		}
	}
}

func TestOptOutOfTheFailedJobWins(t *testing.T) {
	t.Parallel()
	r := &Reconciler{completed: newCompletedJobs(), recoveries: newRecoveries()}
	je := jobError(1)
	je.Labels = map[string]string{joberrorv1.LabelCronJobName: "nightly"}
	cause, err := r.findSuccess(t.Context(), je, link{job: optedOut(job(""))})
	if err != nil || cause.Reason != "" {
		t.Errorf("findSuccess = %+v, %v, want none for a Job that is opted out", cause, err)
	}
}

func TestDeletedJobHasSucceeded(t *testing.T) {
	t.Parallel()
	r := &Reconciler{completed: newCompletedJobs(), recoveries: newRecoveries()}
	done := completedAt(now)
	r.completed.add(done)
	cause, err := r.findSuccess(t.Context(), jobError(1), link{known: &joberrorv1.JobReference{Name: done.Name, UID: done.UID}})
	if err != nil || cause.Reason != joberrorv1.ReasonJobSucceeded || cause.Name != done.Name {
		t.Errorf("findSuccess = %+v, %v", cause, err)
	}
}
