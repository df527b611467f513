// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func eventOn(name, reason, message string, at metav1.Time) *corev1.Event {
	return &corev1.Event{
		InvolvedObject: corev1.ObjectReference{Name: name, UID: "u"}, Reason: reason, Message: message, LastTimestamp: at,
	}
}

func TestFromJobEvent(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]struct{ ok, transient bool }{
		"FailedCreate": {true, true}, "BackoffLimitExceeded": {true, false}, "DeadlineExceeded": {true, false},
		"SuccessfulCreate": {}, "Suspended": {}, "": {},
	} {
		f, ok := FromJobEvent(eventOn("job", reason, "why", start))
		if ok != want.ok || f.Transient != want.transient {
			t.Errorf("%q: ok = %t, Transient = %t, want %+v", reason, ok, f.Transient, want)
		}
		if ok && (!f.FromEvent || f.Code != reason || f.Source != "job" || !f.At.Equal(start.Time)) {
			t.Errorf("%q: FromJobEvent = %+v, want its reason, source and time", reason, f)
		}
	}
	failed := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "job", UID: "u"}, Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{
		{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded", LastTransitionTime: start},
	}}}
	f, _ := FromJobEvent(eventOn("job", "BackoffLimitExceeded", "why", after(time.Minute)))
	if fromStatus := FromJob(failed)[0]; fromStatus.Key != f.Key || fromStatus.Occurrence != f.Occurrence {
		t.Errorf("FromJobEvent = %+v, want the key and occurrence of %+v", f, fromStatus)
	}
}

func TestFromCronJobEvent(t *testing.T) {
	t.Parallel()
	first, _ := FromCronJobEvent(eventOn("nightly", "MissSchedule", "why", start))
	again, _ := FromCronJobEvent(eventOn("nightly", "MissSchedule", "why", start))
	later, _ := FromCronJobEvent(eventOn("nightly", "MissSchedule", "why", after(time.Minute)))
	if !first.CronJob || first.Source != "cronjob" || first.Key != later.Key || first.Occurrence != again.Occurrence || first.Occurrence == later.Occurrence {
		t.Errorf("want one key, and a new occurrence only for the later Event: %+v, %+v, %+v", first, again, later)
	}
	if f, ok := FromCronJobEvent(eventOn("nightly", "JobAlreadyActive", "", start)); ok {
		t.Errorf("JobAlreadyActive: FromCronJobEvent = %+v, want no failure", f)
	}
}

func TestFromPodEvent(t *testing.T) {
	t.Parallel()
	stuck := newPod(waiting("main", "ContainerCreating", ""))
	f := FromPodEvent(eventOn("job-x7k2p", "FailedMount", "why", start), stuck)
	if !f.Transient || !f.PodLevel || !CanRecover(f.Code) || f.Subject != stuck.UID {
		t.Errorf("FromPodEvent = %+v, want a transient failure of the pod", f)
	}
	if WaitStateOf(stuck).Recovered[f.Key] || !WaitStateOf(newPod(terminated("main", exit(0, "Completed", "", start)))).Recovered[f.Key] {
		t.Error("want the pod to recover once a container has started, not before")
	}
}

func TestEventTime(t *testing.T) {
	t.Parallel()
	micro := metav1.NewMicroTime(start.Time)
	for name, event := range map[string]*corev1.Event{
		"Event with a series":       {Series: &corev1.EventSeries{LastObservedTime: micro}, LastTimestamp: after(time.Hour)},
		"Event with lastTimestamp":  {LastTimestamp: start, EventTime: metav1.NewMicroTime(after(time.Hour).Time)},
		"Event with only eventTime": {EventTime: micro},
		"Event without a time":      {ObjectMeta: metav1.ObjectMeta{CreationTimestamp: start}},
	} {
		if got := eventTime(event); !got.Equal(start.Time) {
			t.Errorf("%s: eventTime = %s, want %s", name, got, start)
		}
	}
}
