// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failingruns

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/severity"
)

func at(seconds int64) metav1.Time { return metav1.Unix(seconds, 0) }

// cron returns the CronJob; it succeeded at a time unless that is 0.
func cron(created, succeeded int64) *batchv1.CronJob {
	c := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "nightly", CreationTimestamp: at(created)}}
	if succeeded > 0 {
		c.Status.LastSuccessfulTime = ptr.To(at(succeeded))
	}
	return c
}

// failedJob returns a run that failed at a time.
func failedJob(name string, failed int64) *batchv1.Job {
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, UID: types.UID(name), OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "batch/v1", Kind: "CronJob", Name: "nightly", UID: "c", Controller: ptr.To(true),
		}}},
		Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{
			Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", LastTransitionTime: at(failed),
		}}},
	}
}

// recorded returns the captured error of a failed run.
func recorded(job *batchv1.Job) *joberrorv1.JobError {
	je := failure.FromJob(job)[0].JobError(job, "alice")
	je.Labels[joberrorv1.LabelJobUID], je.Labels[joberrorv1.LabelJobName] = string(job.UID), job.Name
	return je
}

func resolved(je *joberrorv1.JobError) *joberrorv1.JobError {
	je = je.DeepCopy()
	je.Spec.Resolved = true
	return je
}

func expect(t *testing.T, tracker *Tracker, when string, want int) {
	t.Helper()
	rows, _ := tracker.Rows()
	got := 0
	for _, row := range rows {
		got += row.Runs
	}
	if got != want {
		t.Errorf("%s: failed runs in a row = %d, want %d", when, got, want)
	}
}

func TestFailedRunsInARow(t *testing.T) {
	t.Parallel()
	tracker := NewTracker(10)
	cronJobs, jobs, errs := tracker.CronJobs(), tracker.Jobs(), tracker.JobErrors()
	first, second := failedJob("nightly-1", 100), failedJob("nightly-2", 200)

	jobs.OnAdd(first, true)
	expect(t, tracker, "before the CronJob is known", 0)
	cronJobs.OnAdd(cron(1, 0), true)
	expect(t, tracker, "after one failed", 1)
	errs.OnAdd(recorded(first), false)
	jobs.OnUpdate(first, first)
	expect(t, tracker, "after it is recorded", 1)
	jobs.OnDelete(first)
	jobs.OnAdd(second, false)
	expect(t, tracker, "after the history limit deleted the first Job and a second one failed", 2)
	cronJobs.OnUpdate(cron(1, 0), cron(1, 300))
	expect(t, tracker, "after a run succeeded", 0)
	third := failedJob("nightly-3", 400)
	jobs.OnAdd(third, false)
	expect(t, tracker, "after it failed again", 1)
	errs.OnAdd(recorded(third), false)
	errs.OnUpdate(recorded(third), resolved(recorded(third)))
	expect(t, tracker, "after somebody resolved the error", 0)
	errs.OnUpdate(resolved(recorded(third)), recorded(third))
	expect(t, tracker, "after somebody reopened the error", 1)
	cronJobs.OnDelete(cron(1, 300))
	expect(t, tracker, "after the CronJob was deleted", 0)
	cronJobs.OnAdd(cron(500, 0), false)
	expect(t, tracker, "after another CronJob with the name was created", 0)
}

// The history limit of a CronJob can keep a failed Job for longer than its JobError.
func TestTheErrorOfAJobIsDeleted(t *testing.T) {
	t.Parallel()
	job := failedJob("nightly-1", 100)
	open, done := recorded(job), resolved(recorded(job))
	for _, tc := range []struct {
		name   string
		states []*joberrorv1.JobError
		want   int
	}{
		{name: "while it was open", states: []*joberrorv1.JobError{open}, want: 1},
		{name: "while it was resolved", states: []*joberrorv1.JobError{open, done}, want: 0},
		{name: "after it was reopened", states: []*joberrorv1.JobError{open, done, open}, want: 1},
		{name: "which was resolved before the start", states: []*joberrorv1.JobError{done}, want: 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tracker := NewTracker(10)
			tracker.CronJobs().OnAdd(cron(1, 0), true)
			tracker.Jobs().OnAdd(job, true)
			errs := tracker.JobErrors()
			last := tc.states[0]
			errs.OnAdd(last, true)
			for _, next := range tc.states[1:] {
				errs.OnUpdate(last, next)
				last = next
			}
			errs.OnDelete(last)
			expect(t, tracker, "after the error was deleted", tc.want)
			errs.OnAdd(open, false)
			expect(t, tracker, "after it was recorded again", 1)
			errs.OnDelete(open)
			expect(t, tracker, "after that was deleted", 1)
		})
	}
}

// A watch that was interrupted shows a Job that was deleted and created again as an update.
func TestAJobThatWasReplacedCountsOnce(t *testing.T) {
	t.Parallel()
	tracker := NewTracker(10)
	tracker.CronJobs().OnAdd(cron(1, 0), true)
	first, second := failedJob("nightly-1", 100), failedJob("nightly-1", 200)
	second.UID = "another"
	tracker.Jobs().OnAdd(first, true)
	tracker.Jobs().OnUpdate(first, second)
	expect(t, tracker, "after the Job was replaced", 1)
}

func TestWhatIsNotAFailedRun(t *testing.T) {
	t.Parallel()
	retried := failedJob("nightly-1-r1", 100)
	retried.Annotations = map[string]string{joberrorv1.AnnotationRetry: "r", joberrorv1.AnnotationRetryOf: "nightly-1"}
	active := failedJob("nightly-2", 100)
	active.Status.Conditions = nil
	foreign := failedJob("other-1", 100)
	foreign.OwnerReferences = nil
	ofPod := recorded(failedJob("nightly-3", 100))
	ofPod.Spec.Code, ofPod.Name = "ExitCode:3", failure.ErrorName("nightly-3", "nightly-3", "main/ExitCode:3")
	ofRetry := recorded(retried)
	ofRetry.Labels[joberrorv1.LabelLineage] = "nightly-1"
	tracker := NewTracker(10)
	tracker.CronJobs().OnAdd(cron(1, 0), true)
	for _, job := range []*batchv1.Job{retried, active, foreign} {
		tracker.Jobs().OnAdd(job, true)
	}
	for _, je := range []*joberrorv1.JobError{ofPod, ofRetry} {
		tracker.JobErrors().OnAdd(je, true)
	}
	expect(t, tracker, "a retry, an active run, another Job, and the failure of a pod", 0)
}

func TestCronJobsOverTheBoundAreLeftOut(t *testing.T) {
	t.Parallel()
	tracker := NewTracker(0)
	tracker.CronJobs().OnAdd(cron(1, 0), true)
	tracker.Jobs().OnAdd(failedJob("nightly-1", time.Now().Unix()), true)
	if rows, unlisted := tracker.Rows(); len(rows) != 0 || unlisted != 1 {
		t.Errorf("rows = %v and %d more, want none and 1 more", rows, unlisted)
	}
}

func TestTheHighestSeverityOfTheRunsCounts(t *testing.T) {
	t.Parallel()
	tracker := NewTracker(10)
	tracker.CronJobs().OnAdd(cron(1, 0), true)
	urgent := failedJob("nightly-1", 100)
	urgent.Labels = map[string]string{joberrorv1.LabelSeverity: joberrorv1.SeverityCritical}
	tracker.Jobs().OnAdd(urgent, true)
	tracker.Jobs().OnAdd(failedJob("nightly-2", 200), true)
	rows, _ := tracker.Rows()
	if len(rows) != 1 || rows[0].Level != severity.Critical || rows[0].Since != 100 {
		t.Errorf("rows = %+v, want one that is critical since 100", rows)
	}
}
