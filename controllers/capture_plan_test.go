// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	testingclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/retention"
)

// capturing returns a reconciler that holds one sighting of the Job backup, UID a.
func capturing(at time.Time, f failure.Failure) *CaptureReconciler {
	opts := Options{Capture: capturepolicy.NewOptions(), Retention: retention.Policy{Default: 30 * 24 * time.Hour}}
	r := &CaptureReconciler{environment: environment{clock: testingclock.NewFakePassiveClock(at), Options: opts}, pending: newPending()}
	r.pending.add(backup, "a", []failure.Failure{f}, now)
	return r
}

func backupJob(with ...func(*batchv1.Job)) *batchv1.Job {
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: backup.Namespace, Name: backup.Name, UID: "a"}}
	for _, change := range with {
		change(job)
	}
	return job
}

func conditioned(kind batchv1.JobConditionType) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		job.Status.Conditions = []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue}}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	exit := failure.Failure{Key: "exit", Occurrence: "1", At: now}
	wait := failure.Failure{Key: "wait", Occurrence: "1", At: now, Passing: true, Subject: "u"}
	event := failure.Failure{Key: "job/DeadlineExceeded", Occurrence: "1", At: now, Event: true, Subject: "a"}
	leaves := failure.Waits{UID: "u", Gone: true}
	for name, tc := range map[string]struct {
		failure failure.Failure
		job     *batchv1.Job
		exists  bool
		after   time.Duration
		then    failure.Waits
		// due is how many are recorded now, left how many are pending after that.
		due, left int
	}{
		"an exit at once":                               {failure: exit, job: backupJob(), exists: true, due: 1, left: 1},
		"a wait later":                                  {failure: wait, job: backupJob(), exists: true, left: 1},
		"a wait that lasts":                             {failure: wait, job: backupJob(), exists: true, after: 2 * time.Minute, due: 1, left: 1},
		"a wait of a pod that is deleted":               {failure: wait, job: backupJob(), after: settleTime, then: leaves, due: 1, left: 1},
		"the same of a Job that is suspended":           {failure: wait, job: backupJob(func(job *batchv1.Job) { job.Spec.Suspend = ptr.To(true) }), exists: true, after: settleTime, then: leaves},
		"the same of a Job that is complete":            {failure: wait, job: backupJob(conditioned(batchv1.JobComplete)), exists: true, after: settleTime, then: leaves},
		"the same of a Job that needs no more":          {failure: wait, job: backupJob(conditioned(batchv1.JobSuccessCriteriaMet)), exists: true, after: settleTime, then: leaves},
		"the same of a Job that failed":                 {failure: wait, job: backupJob(conditioned(batchv1.JobFailed)), exists: true, after: settleTime, then: leaves, due: 1, left: 1},
		"an Event once the Job's status had its chance": {failure: event, job: backupJob(), after: eventSettleTime, due: 1, left: 1},
		"an Event before that":                          {failure: event, job: backupJob(), left: 1},
		"an Event of a Job that says it itself":         {failure: event, job: backupJob(), exists: true, after: eventSettleTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := capturing(now.Add(tc.after), tc.failure)
			r.pending.follow(tc.then, now)
			due, left := r.due(tc.job, tc.exists, r.pending.of(backup)["a"])
			if pending := len(r.pending.of(backup)["a"]); len(due) != tc.due || pending != tc.left {
				t.Errorf("%d are due and %d pending, want %d and %d", len(due), pending, tc.due, tc.left)
			}
			if waits := tc.left == 1 && tc.due == 0; waits != (left > 0) {
				t.Errorf("the next is due in %s", left)
			}
		})
	}
}

// A failure that happened before its retention does not take a fresh one with it.
func TestAnExpiredSightingLeavesTheOthers(t *testing.T) {
	t.Parallel()
	old := failure.Failure{Key: "exit", Occurrence: "1", At: now.AddDate(0, 0, -31)}
	fresh := failure.Failure{Key: "exit", Occurrence: "2", At: now}
	r := capturing(now, old)
	r.pending.add(backup, "a", []failure.Failure{fresh}, now)
	g := &group{record: old}
	for _, s := range r.pending.of(backup)["a"] {
		g.seen, g.counted = append(g.seen, s), append(g.counted, s.Failure)
	}
	r.dropExpired(backupJob(), g)
	if len(g.seen) != 1 || g.record.Occurrence != "2" || len(r.pending.of(backup)["a"]) != 1 {
		t.Errorf("left are %+v", g)
	}
}

// A pod may wait for a node before it is evicted: both are failures.
func TestTold(t *testing.T) {
	t.Parallel()
	taken := func(code string) failure.Failure {
		return failure.Failure{Key: "pod/" + code, Code: code, Occurrence: "u", At: now, Taken: true, OfPod: true}
	}
	for code, want := range map[string]bool{"DeletionByTaintManager": true, "Unschedulable": false} {
		recorded := []joberrorv1.JobError{*taken(code).JobError(backupJob(), "x")}
		if got := told(recorded, "another", taken("Evicted")); got != want {
			t.Errorf("after %s it is told already: %v, want %v", code, got, want)
		}
	}
}
