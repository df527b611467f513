// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/retention"
)

// newReconciler returns a reconciler with one pending failure of the Job backup, UID a.
func newReconciler(at time.Time, f failure.Failure) *Reconciler {
	clock := testingclock.NewFakePassiveClock(at)
	r := &Reconciler{
		Clock:     clock,
		Recorder:  events.NewFakeRecorder(10),
		Retention: retention.Policy{Default: 30 * 24 * time.Hour},
		Policy:    capturepolicy.NewOptions(),
		pending:   newPending(grace),
		created:   newCreatedErrors(),
		backoff:   newBackoff(clock),
	}
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

func withCondition(kind batchv1.JobConditionType) func(*batchv1.Job) {
	return func(job *batchv1.Job) {
		job.Status.Conditions = []batchv1.JobCondition{{Type: kind, Status: corev1.ConditionTrue}}
	}
}

func suspended(job *batchv1.Job) { job.Spec.Suspend = ptr.To(true) }

func TestDue(t *testing.T) {
	t.Parallel()
	exit := failure.Failure{Key: "exit", Occurrence: "1", At: now}
	wait := failure.Failure{Key: "wait", Occurrence: "1", At: now, Transient: true, Subject: "u"}
	event := failure.Failure{Key: "job/DeadlineExceeded", Occurrence: "1", At: now, FromEvent: true, Subject: "a"}
	podEnds := failure.WaitState{UID: "u", Ended: true}
	for name, tc := range map[string]struct {
		failure failure.Failure
		job     subject
		after   time.Duration
		then    failure.WaitState
		// due is how many are recorded now, pending how many are pending after that.
		due, pending int
	}{
		"an exit immediately":                    {failure: exit, job: subject{Job: backupJob(), exists: true}, due: 1, pending: 1},
		"a wait later":                           {failure: wait, job: subject{Job: backupJob(), exists: true}, pending: 1},
		"a wait that lasts":                      {failure: wait, job: subject{Job: backupJob(), exists: true}, after: 2 * time.Minute, due: 1, pending: 1},
		"a wait until the pod ends":              {failure: wait, job: subject{Job: backupJob()}, after: podGoneDelay, then: podEnds, due: 1, pending: 1},
		"a wait when the Job is suspended":       {failure: wait, job: subject{Job: backupJob(suspended), exists: true}, after: podGoneDelay, then: podEnds},
		"a wait when the Job is complete":        {failure: wait, job: subject{Job: backupJob(withCondition(batchv1.JobComplete)), exists: true}, after: podGoneDelay, then: podEnds},
		"a wait when the Job has met its policy": {failure: wait, job: subject{Job: backupJob(withCondition(batchv1.JobSuccessCriteriaMet)), exists: true}, after: podGoneDelay, then: podEnds},
		"a wait when the Job failed":             {failure: wait, job: subject{Job: backupJob(withCondition(batchv1.JobFailed)), exists: true}, after: podGoneDelay, then: podEnds, due: 1, pending: 1},
		"an Event of a deleted Job":              {failure: event, job: subject{Job: backupJob()}, after: jobStatusDelay, due: 1, pending: 1},
		"an Event before the Job's status":       {failure: event, job: subject{Job: backupJob()}, pending: 1},
		"an Event that repeats the Job's status": {failure: event, job: subject{Job: backupJob(), exists: true}, after: jobStatusDelay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReconciler(now.Add(tc.after), tc.failure)
			r.pending.update(tc.then, now)
			sightings, next := r.pending.due(backup, r.Clock.Now())
			due := r.needRecord(tc.job, sightings["a"])
			if pending := len(r.pending.of(backup)["a"]); len(due) != tc.due || pending != tc.pending {
				t.Errorf("%d are due and %d pending, want %d and %d", len(due), pending, tc.due, tc.pending)
			}
			if later := tc.pending == 1 && tc.due == 0; later != (next > 0) {
				t.Errorf("the next is due in %s", next)
			}
		})
	}
}
