// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/failure"
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

func TestASuccessEndsAnError(t *testing.T) {
	t.Parallel()
	running := job("")
	running.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: corev1.ConditionFalse}}
	again := jobError(3, reopened, marked(attribution.Mark{By: "x", Generation: 3, Cause: attribution.Cause{Reason: causeFailedAgain}}))
	for _, tc := range []struct {
		name string
		je   *joberrorv1.JobError
		job  *batchv1.Job
		want bool
	}{
		{"of a Job that completed", jobError(1), completedAt(now), true},
		{"not of one that has not", jobError(1), running, false},
		{"not of one that is opted out", jobError(1), optedOut(completedAt(now)), false},
		{"an open one that was seen before", jobError(1, observed(1)), completedAt(now), true},
		{"one that was reopened before the success", jobError(3, reopened), completedAt(now), true},
		{"not one that was reopened after it", jobError(3, reopened), completedAt(earlier.Add(-time.Hour)), false},
		{"one that was reopened since it happened again", again, completedAt(earlier.Add(-time.Hour)), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := endsErrorOf(tc.je, tc.job); got != tc.want {
				t.Errorf("got %t", got)
			}
		})
	}
}

func TestTheNextRunBeginsAfterTheLastFailure(t *testing.T) {
	t.Parallel()
	je := jobError(1)
	run := job("")
	run.CreationTimestamp = metav1.NewTime(now)
	if later(je, run) {
		t.Error("when it happened last is not known yet")
	}
	for at, want := range map[time.Time]bool{earlier: true, now: true, now.Add(time.Second): false} {
		je.Status.LastSeen = &metav1.Time{Time: at}
		if got := later(je, run); got != want {
			t.Errorf("a run of %s is later than %s: %t", now, at, got)
		}
	}
}

func TestAPodGotOverWhatItCouldNotRunFor(t *testing.T) {
	t.Parallel()
	pod := func(name string, state corev1.ContainerState, owner *batchv1.Job) corev1.Pod {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: []metav1.OwnerReference{{UID: owner.UID, Controller: ptr.To(true)}}}}
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", State: state}}
		return p
	}
	waits := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ImagePullBackOff"}}
	creating := corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}}
	runs := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	mine, other := job(""), job("")
	other.UID = "another"
	stuck := pod("stuck", waits, mine)
	je := failure.OfPod(&stuck)[0].JobError(mine, "x")
	for _, tc := range []struct {
		name string
		pods []corev1.Pod
		want string
	}{
		{"one that runs", []corev1.Pod{pod("a", runs, mine)}, "a"},
		{"not while it waits", []corev1.Pod{stuck}, ""},
		{"not while another one waits", []corev1.Pod{pod("a", runs, mine), stuck}, ""},
		{"not before it runs", []corev1.Pod{pod("a", creating, mine)}, ""},
		{"not one of another Job", []corev1.Pod{pod("a", runs, other)}, ""},
		{"one that waits in another Job does not count", []corev1.Pod{pod("a", runs, mine), pod("b", waits, other)}, "a"},
		{"not where there is none", nil, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := recovered(je, mine, tc.pods); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTheWordOfTheJobThatFailedHolds(t *testing.T) {
	t.Parallel()
	r := &JobErrorReconciler{successes: newSuccesses()}
	je := jobError(1)
	je.Labels = map[string]string{joberrorv1.LabelCronJobName: "nightly"}
	cause, err := r.success(t.Context(), je, link{job: optedOut(job(""))})
	if err != nil || cause.Reason != "" {
		t.Errorf("the error of a Job that is opted out is over for %+v, %v", cause, err)
	}
}

func TestAJobThatIsGoneHasSucceeded(t *testing.T) {
	t.Parallel()
	r := &JobErrorReconciler{successes: newSuccesses()}
	done := completedAt(now)
	r.successes.add(done)
	cause, err := r.success(t.Context(), jobError(1), link{known: &joberrorv1.JobReference{Name: done.Name, UID: done.UID}})
	if err != nil || cause.Reason != joberrorv1.ReasonJobSucceeded || cause.Name != done.Name {
		t.Errorf("the error is over for %+v, %v", cause, err)
	}
}

func TestTheLatestRunIsRemembered(t *testing.T) {
	t.Parallel()
	run := func(name string, created time.Time) *batchv1.Job {
		j := completedAt(now)
		j.Name, j.CreationTimestamp = name, metav1.NewTime(created)
		j.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: "nightly", Controller: ptr.To(true)}}
		return j
	}
	s := newSuccesses()
	s.add(run("second", now))
	s.add(run("first", earlier))
	if last := s.last(run("", now).Namespace, "nightly"); last == nil || last.Name != "second" || s.last("another", "nightly") != nil {
		t.Errorf("the latest run is %+v", last)
	}
}
