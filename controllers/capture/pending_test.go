// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

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

// now is when the tests happen, and earlier an hour before.
var (
	now     = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)
	earlier = now.Add(-time.Hour)
)

// grace is how long a transient failure must last.
const grace = 2 * time.Minute

// of returns all that is pending for the Jobs with a name, due or not.
func (p *pending) of(key types.NamespacedName) map[types.UID][]sighting {
	due, _ := p.due(key, never)
	return due
}

var backup = types.NamespacedName{Namespace: "team", Name: "backup"}

func failed(key, occurrence string, at time.Time) []failure.Failure {
	return []failure.Failure{{Key: key, Occurrence: occurrence, At: at}}
}

// leading returns the pending failures of a leader, and its queue.
func leading(t *testing.T) (*pending, queue) {
	t.Helper()
	p, q := newPending(grace), workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
	t.Cleanup(q.ShutDown)
	p.lead(q)
	return p, q
}

// queued reports whether the queue has a request, and removes it.
func queued(q queue) bool {
	if q.Len() == 0 {
		return false
	}
	request, _ := q.Get()
	q.Done(request)
	return true
}

// A standby holds the failure in a Job's status long enough for the Event to arrive.
// The Event alone would not be recorded while the Job exists.
func TestEventDoesNotReplaceTheStatus(t *testing.T) {
	t.Parallel()
	status, event := failed("job/BackoffLimitExceeded", "1", now), failed("job/BackoffLimitExceeded", "1", now)
	event[0].FromEvent = true
	for name, tc := range map[string]struct{ first, then []failure.Failure }{
		"status first": {status, event},
		"event first":  {event, status},
	} {
		p := newPending(grace)
		p.add(backup, "a", tc.first, now)
		p.add(backup, "a", tc.then, now)
		if got := p.of(backup)["a"]; len(got) != 1 || got[0].FromEvent {
			t.Errorf("%s: pending = %+v", name, got)
		}
	}
}

func TestPendingUntilRecorded(t *testing.T) {
	t.Parallel()
	p, q := leading(t)
	late, early := failed("exit", "2", now), failed("exit", "1", earlier)
	for job, failures := range map[types.UID][]failure.Failure{"a": append(late, early...), "b": late} {
		if p.add(backup, job, failures, now); !queued(q) {
			t.Error("a new failure is not enqueued")
		}
	}
	if p.add(backup, "a", late, now.Add(time.Hour)); queued(q) {
		t.Error("a pending failure is enqueued again")
	}
	got := p.of(backup)
	if len(got) != 2 || len(got["a"]) != 2 || got["a"][0].Occurrence != "1" || !got["a"][1].firstSeen.Equal(now) {
		t.Errorf("pending = %+v", got)
	}
	p.markRecorded(backup, "a", early[0])
	if p.add(backup, "a", early, now); queued(q) {
		t.Error("a recorded failure is enqueued")
	}
	if got := p.of(backup)["a"]; len(got) != 1 || got[0].Occurrence != "2" {
		t.Errorf("pending = %+v", got)
	}
	p.markRecorded(backup, "a", late[0])
	p.markRecorded(backup, "b", late[0])
	if p.size != 0 || len(p.agendas) != 0 || len(p.namespaces) != 0 || len(p.traces) != 0 {
		t.Errorf("after all are recorded, %+v are left", p.agendas)
	}
}

func TestNextLeaderRecordsWhatTheStandbyCollected(t *testing.T) {
	t.Parallel()
	p := newPending(grace)
	p.add(backup, "a", failed("exit", "1", now), now)
	q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[ctrl.Request]())
	defer q.ShutDown()
	if p.lead(q); !queued(q) {
		t.Error("what the standby collected is not enqueued")
	}
}

func TestStandbyDropsWhatTheLeaderRecorded(t *testing.T) {
	t.Parallel()
	podFailed := func(key, occurrence string, with ...func(*failure.Failure)) failure.Failure {
		f := failure.Failure{Key: key, Occurrence: occurrence, At: now, PodLevel: true}
		for _, change := range with {
			change(&f)
		}
		return f
	}
	disrupted := func(f *failure.Failure) { f.Disruption = true }
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
		"the same occurrence":              {podFailed("exit", "1"), record(podFailed("exit", "1")), 0},
		"another occurrence":               {podFailed("exit", "2"), record(podFailed("exit", "1")), 1},
		"another failure":                  {podFailed("other", "1"), record(podFailed("exit", "1")), 1},
		"a disruption with another reason": {podFailed("pod/B", "u", disrupted), record(podFailed("pod/A", "u", disrupted)), 0},
		"a failure over the limit":         {podFailed("exit", "1"), record(failure.Overflow(podFailed("exit", "1"), 100)), 0},
	} {
		p := newPending(grace)
		p.add(backup, "a", []failure.Failure{tc.seen}, now)
		p.dropRecorded(tc.recorded)
		if got := len(p.of(backup)["a"]); got != tc.want {
			t.Errorf("%s: %d are pending, want %d", name, got, tc.want)
		}
	}
}

// One namespace fills what is held. The others keep what they have.
func TestPendingIsBoundedAndFair(t *testing.T) {
	t.Parallel()
	p := newPending(grace)
	quiet := types.NamespacedName{Namespace: "quiet", Name: "job"}
	p.add(quiet, "q", failed("exit", "first", now), now)
	for i := range maxPending + 10 {
		p.add(backup, "a", failed("exit", fmt.Sprint(i), now), now)
	}
	p.add(quiet, "q", failed("exit", "last", now), now)
	if len(p.of(quiet)["q"]) != 2 || p.size != maxPending {
		t.Errorf("%d are pending in the quiet namespace and %d in all, want 2 and %d", len(p.of(quiet)["q"]), p.size, maxPending)
	}
	oldest, latest := place{backup, idOf("a", failed("exit", "11", now)[0])}, place{backup, idOf("a", failed("exit", fmt.Sprint(maxPending+9), now)[0])}
	if p.find(oldest) != nil || p.find(latest) == nil {
		t.Error("the busy namespace has not lost its oldest failures")
	}
}

func TestTransientFailure(t *testing.T) {
	t.Parallel()
	wait := failure.Failure{Key: "wait/main/ImagePullBackOff", Occurrence: "u/main/first", At: now, Transient: true, Subject: "u"}
	waiting, recovered := map[string]bool{wait.Key: true}, map[string]bool{wait.Key: true}
	later := now.Add(time.Minute)
	for name, tc := range map[string]struct {
		states []failure.WaitState
		// due is the time from the first sighting to the record; negative if there is none.
		due time.Duration
	}{
		"lasts":                             {[]failure.WaitState{{UID: "u", Waiting: waiting}}, 2 * time.Minute},
		"recovers":                          {[]failure.WaitState{{UID: "u", Waiting: waiting}, {UID: "u", Recovered: recovered}}, -1},
		"lasts until the pod ends":          {[]failure.WaitState{{UID: "u", Waiting: waiting}, {UID: "u", Ended: true}}, time.Minute + podGoneDelay},
		"recovers before the pod ends":      {[]failure.WaitState{{UID: "u", Waiting: waiting}, {UID: "u", Recovered: recovered}, {UID: "u", Ended: true}}, -1},
		"is not shown when the pod ends":    {[]failure.WaitState{{UID: "u", Waiting: waiting}, {UID: "u"}, {UID: "u", Ended: true}}, -1},
		"recovery after the end is ignored": {[]failure.WaitState{{UID: "u", Waiting: waiting, Ended: true}, {UID: "u", Ended: true, Recovered: recovered}}, podGoneDelay},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPending(grace)
			p.add(backup, "a", []failure.Failure{wait}, now)
			for i, state := range tc.states {
				at := now
				if i > 0 {
					at = later
				}
				p.update(state, at)
			}
			got := p.of(backup)["a"]
			if tc.due < 0 {
				if len(got) != 0 || len(p.waits) != 0 {
					t.Fatalf("pending = %+v", got)
				}
				return
			}
			if len(got) != 1 || !got[0].waiting || got[0].due.Sub(now) != tc.due {
				t.Fatalf("pending = %+v, want one that is due in %s", got, tc.due)
			}
		})
	}
}

// The time until a failure is recorded starts when that occurrence was seen.
func TestEachOccurrenceHasItsOwnFirstSeen(t *testing.T) {
	t.Parallel()
	p := newPending(grace)
	old, fresh := failed("exit", "1", earlier), failed("exit", "2", now)
	p.add(backup, "a", old, earlier)
	p.add(backup, "a", append(old, fresh...), now)
	if got := p.of(backup)["a"]; len(got) != 2 || !got[0].firstSeen.Equal(earlier) || !got[1].firstSeen.Equal(now) {
		t.Errorf("pending = %+v", got)
	}
}

func TestNoFailureHappensAfterItWasSeen(t *testing.T) {
	t.Parallel()
	p := newPending(grace)
	ahead := failed("exit", "1", now.Add(time.Hour))
	p.add(backup, "a", ahead, now)
	p.add(backup, "a", ahead, now.Add(time.Minute))
	if got := p.of(backup)["a"]; len(got) != 1 || !got[0].At.Equal(now) {
		t.Errorf("pending = %+v", got)
	}
}

// The component that deletes a pod gives the first reason, and the one that removes it
// gives another.
func TestPodIsDisruptedOnce(t *testing.T) {
	t.Parallel()
	p := newPending(grace)
	first := []failure.Failure{{Key: "pod/DeletionByTaintManager", Occurrence: "u", At: now, Disruption: true}}
	later := []failure.Failure{{Key: "pod/DeletionByPodGC", Occurrence: "u", At: now, Disruption: true}}
	p.add(backup, "a", first, now)
	p.add(backup, "a", later, now)
	if got := p.of(backup)["a"]; len(got) != 1 || got[0].Key != first[0].Key {
		t.Errorf("pending = %+v", got)
	}
	p.markRecorded(backup, "a", first[0])
	if p.add(backup, "a", later, now); len(p.of(backup)) != 0 {
		t.Error("a recorded disruption is pending again with another reason")
	}
}

func TestForgottenFailureMayReturn(t *testing.T) {
	t.Parallel()
	p := newPending(grace)
	stuck := failed("wait", "1", now)
	p.add(backup, "a", stuck, now)
	p.forget(backup, "a", stuck[0])
	if len(p.of(backup)) != 0 {
		t.Error("a forgotten failure is pending")
	}
	if p.add(backup, "a", stuck, now); len(p.of(backup)) != 1 {
		t.Error("it is not pending again")
	}
}

func TestDeletedJobIsRemembered(t *testing.T) {
	t.Parallel()
	p := newPending(grace)
	for range maxJobs {
		p.rememberDeleted(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{UID: "other"}})
	}
	p.rememberDeleted(&batchv1.Job{ObjectMeta: metav1.ObjectMeta{UID: "a"}})
	if got := p.deletedJob("a"); got == nil || got.UID != "a" || p.deletedJob("b") != nil {
		t.Errorf("deletedJob = %+v", got)
	}
}
