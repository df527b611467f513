// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"fmt"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

var backup = types.NamespacedName{Namespace: "team", Name: "backup"}

func failed(key, occurrence string, at time.Time) []failure.Failure {
	return []failure.Failure{{Key: key, Occurrence: occurrence, At: at}}
}

// leading returns a pending that a leader's queue listens to.
func leading(t *testing.T) (*pending, queue) {
	t.Helper()
	p, q := newPending(), workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
	t.Cleanup(q.ShutDown)
	p.lead(q)
	return p, q
}

// queued reports whether the queue has a request, and takes it out.
func queued(q queue) bool {
	if q.Len() == 0 {
		return false
	}
	request, _ := q.Get()
	q.Done(request)
	return true
}

// A replica that does not lead holds what a Job says of itself for long enough for
// the Event to come, which alone would not be recorded.
func TestEventDoesNotReplaceTheStatus(t *testing.T) {
	t.Parallel()
	status, event := failed("job/BackoffLimitExceeded", "1", now), failed("job/BackoffLimitExceeded", "1", now)
	event[0].Event = true
	for name, tc := range map[string]struct{ first, then []failure.Failure }{
		"status first": {status, event},
		"event first":  {event, status},
	} {
		p := newPending()
		p.add(backup, "a", tc.first, now)
		p.add(backup, "a", tc.then, now)
		if got := p.of(backup)["a"]; len(got) != 1 || got[0].Event {
			t.Errorf("%s: pending are %+v", name, got)
		}
	}
}

func TestWhatWasSeenStaysUntilItIsRecorded(t *testing.T) {
	t.Parallel()
	p, q := leading(t)
	late, early := failed("exit", "2", now), failed("exit", "1", earlier)
	for job, failures := range map[types.UID][]failure.Failure{"a": append(late, early...), "b": late} {
		if p.add(backup, job, failures, now); !queued(q) {
			t.Error("the queue is not told of a new failure")
		}
	}
	if p.add(backup, "a", late, now.Add(time.Hour)); queued(q) {
		t.Error("the queue is told of a failure that is pending")
	}
	got := p.of(backup)
	if len(got) != 2 || len(got["a"]) != 2 || got["a"][0].Occurrence != "1" || !got["a"][1].since.Equal(now) {
		t.Errorf("pending are %+v", got)
	}
	p.done(backup, "a", early[0])
	if p.add(backup, "a", early, now); queued(q) {
		t.Error("the queue is told of a failure that is recorded")
	}
	if got := p.of(backup)["a"]; len(got) != 1 || got[0].Occurrence != "2" {
		t.Errorf("pending are %+v", got)
	}
	p.done(backup, "a", late[0])
	p.done(backup, "b", late[0])
	if len(p.jobs) != 0 || p.order.Len() != 0 {
		t.Errorf("of recorded failures %+v stay", p.jobs)
	}
}

func TestTheNextLeaderHasWhatTheStandbyCollected(t *testing.T) {
	t.Parallel()
	p := newPending()
	p.add(backup, "a", failed("exit", "1", now), now)
	q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
	defer q.ShutDown()
	if p.lead(q); !queued(q) {
		t.Error("the queue is not told of what was collected")
	}
}

func TestTheStandbyDropsWhatTheLeaderRecorded(t *testing.T) {
	t.Parallel()
	failed := func(key, occurrence string, with ...func(*failure.Failure)) failure.Failure {
		f := failure.Failure{Key: key, Occurrence: occurrence, At: now, OfPod: true}
		for _, change := range with {
			change(&f)
		}
		return f
	}
	taken := func(f *failure.Failure) { f.Taken = true }
	record := func(as failure.Failure) *joberrorv1.JobError {
		job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: backup.Namespace, Name: backup.Name, UID: "a"}}
		je := as.JobError(job, "x")
		je.Labels[joberrorv1.LabelJobUID] = "a"
		return je
	}
	for name, tc := range map[string]struct {
		seen     failure.Failure
		recorded *joberrorv1.JobError
		want     int
	}{
		"the same occurrence":                     {failed("exit", "1"), record(failed("exit", "1")), 0},
		"another occurrence":                      {failed("exit", "2"), record(failed("exit", "1")), 1},
		"another failure":                         {failed("other", "1"), record(failed("exit", "1")), 1},
		"a pod that was taken for another reason": {failed("pod/B", "u", taken), record(failed("pod/A", "u", taken)), 0},
		"one over the limit":                      {failed("exit", "1"), record(failure.Overflow(failed("exit", "1"), 100)), 0},
	} {
		p := newPending()
		p.add(backup, "a", []failure.Failure{tc.seen}, now)
		p.recordedAs(tc.recorded)
		if got := len(p.of(backup)["a"]); got != tc.want {
			t.Errorf("%s: %d are pending, want %d", name, got, tc.want)
		}
	}
}

func TestAStandbyHoldsABoundedNumberOfFailures(t *testing.T) {
	t.Parallel()
	p := newPending()
	for i := range maxPending + 10 {
		p.add(backup, "a", failed("exit", fmt.Sprint(i), now), now)
	}
	if got := p.of(backup)["a"]; len(got) != maxPending {
		t.Errorf("%d are pending, want %d", len(got), maxPending)
	}
}

func TestWhatAPodWaitsFor(t *testing.T) {
	t.Parallel()
	wait := failure.Failure{Key: "wait/main/ImagePullBackOff", Occurrence: "u/main/first", At: now, Passing: true, Subject: "u"}
	shows, overcome := map[string]bool{wait.Key: true}, map[string]bool{wait.Key: true}
	later := now.Add(time.Minute)
	for name, tc := range map[string]struct {
		states []failure.Waits
		// due is how long after it was seen it is recorded; never if negative.
		due time.Duration
	}{
		"lasts":                         {[]failure.Waits{{UID: "u", Shows: shows}}, 2 * time.Minute},
		"passes":                        {[]failure.Waits{{UID: "u", Shows: shows}, {UID: "u", Overcome: overcome}}, -1},
		"is the end of the pod":         {[]failure.Waits{{UID: "u", Shows: shows}, {UID: "u", Gone: true}}, time.Minute + settleTime},
		"passes before the pod's end":   {[]failure.Waits{{UID: "u", Shows: shows}, {UID: "u", Overcome: overcome}, {UID: "u", Gone: true}}, -1},
		"is not shown at the pod's end": {[]failure.Waits{{UID: "u", Shows: shows}, {UID: "u"}, {UID: "u", Gone: true}}, -1},
		"is the end, however that goes": {[]failure.Waits{{UID: "u", Shows: shows, Gone: true}, {UID: "u", Gone: true, Overcome: overcome}}, settleTime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPending()
			p.add(backup, "a", []failure.Failure{wait}, now)
			for i, state := range tc.states {
				at := now
				if i > 0 {
					at = later
				}
				p.follow(state, at)
			}
			got := p.of(backup)["a"]
			if tc.due < 0 {
				if len(got) != 0 || len(p.waits) != 0 {
					t.Fatalf("pending are %+v", got)
				}
				return
			}
			if len(got) != 1 || !got[0].holds || got[0].dueIn(now, 2*time.Minute) != tc.due {
				t.Fatalf("pending are %+v, want one that is due in %s", got, tc.due)
			}
		})
	}
}

// The time until a failure is recorded begins when that one was seen.
func TestEachFailureWasSeenAtATimeOfItsOwn(t *testing.T) {
	t.Parallel()
	p := newPending()
	old, fresh := failed("exit", "1", earlier), failed("exit", "2", now)
	p.add(backup, "a", old, earlier)
	p.add(backup, "a", append(old, fresh...), now)
	if got := p.of(backup)["a"]; len(got) != 2 || !got[0].since.Equal(earlier) || !got[1].since.Equal(now) {
		t.Errorf("pending are %+v", got)
	}
}

func TestNothingHappensAfterItWasSeen(t *testing.T) {
	t.Parallel()
	p := newPending()
	ahead := failed("exit", "1", now.Add(time.Hour))
	p.add(backup, "a", ahead, now)
	p.add(backup, "a", ahead, now.Add(time.Minute))
	if got := p.of(backup)["a"]; len(got) != 1 || !got[0].At.Equal(now) {
		t.Errorf("pending are %+v", got)
	}
}

// What deletes a pod says so first, and later what removes it does.
func TestAPodIsTakenOnce(t *testing.T) {
	t.Parallel()
	p := newPending()
	first := []failure.Failure{{Key: "pod/DeletionByTaintManager", Occurrence: "u", At: now, Taken: true}}
	later := []failure.Failure{{Key: "pod/DeletionByPodGC", Occurrence: "u", At: now, Taken: true}}
	p.add(backup, "a", first, now)
	p.add(backup, "a", later, now)
	if got := p.of(backup)["a"]; len(got) != 1 || got[0].Key != first[0].Key {
		t.Errorf("pending are %+v", got)
	}
	p.done(backup, "a", first[0])
	if p.add(backup, "a", later, now); len(p.of(backup)) != 0 {
		t.Error("a pod whose end is recorded is pending again, for another reason")
	}
}

func TestWhatPassedMayComeAgain(t *testing.T) {
	t.Parallel()
	p := newPending()
	stuck := failed("wait", "1", now)
	p.add(backup, "a", stuck, now)
	p.forget(backup, "a", stuck[0])
	if len(p.of(backup)) != 0 {
		t.Error("it is pending")
	}
	if p.add(backup, "a", stuck, now); len(p.of(backup)) != 1 {
		t.Error("it is not pending again")
	}
}

func TestAJobThatWasDeletedIsRemembered(t *testing.T) {
	t.Parallel()
	p := newPending()
	for range rememberedJobs {
		p.remember(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{UID: "other"}})
	}
	p.remember(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{UID: "a"}})
	if got := p.remembered("a"); got == nil || got.UID != "a" || p.remembered("b") != nil {
		t.Errorf("remembered is %+v", got)
	}
}
