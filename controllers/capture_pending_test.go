// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"joberror.io/operator/internal/capture"
)

var backup = types.NamespacedName{Namespace: "team", Name: "backup"}

func failed(key, occurrence string, at time.Time) []capture.Failure {
	return []capture.Failure{{Key: key, Occurrence: occurrence, At: at}}
}

func TestWhatWasSeenStaysUntilItIsRecorded(t *testing.T) {
	t.Parallel()
	p := newPending()
	late, early := failed("exit", "2", now), failed("exit", "1", earlier)
	if !p.add(backup, "a", late, now) || !p.add(backup, "a", early, now) || !p.add(backup, "b", late, now) {
		t.Error("what is new is not told")
	}
	if p.add(backup, "a", late, now.Add(time.Hour)) {
		t.Error("what is pending is told to be new")
	}
	got := p.of(backup)
	if len(got) != 2 || len(got["a"]) != 2 || got["a"][0].Occurrence != "1" || !got["a"][1].since.Equal(now) {
		t.Errorf("pending are %+v", got)
	}
	p.done(backup, "a", early[0])
	if p.add(backup, "a", early, now) {
		t.Error("what is recorded is told to be new")
	}
	if got := p.of(backup)["a"]; len(got) != 1 || got[0].Occurrence != "2" {
		t.Errorf("pending are %+v", got)
	}
	p.done(backup, "a", late[0])
	p.done(backup, "b", late[0])
	if len(p.jobs) != 0 {
		t.Errorf("of what is recorded %+v stays", p.jobs)
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
	first := []capture.Failure{{Key: "pod/DeletionByTaintManager", Occurrence: "u", At: now, Taken: true}}
	later := []capture.Failure{{Key: "pod/DeletionByPodGC", Occurrence: "u", At: now, Taken: true}}
	p.add(backup, "a", first, now)
	if p.add(backup, "a", later, now) {
		t.Error("another word for what is pending is told to be new")
	}
	if got := p.of(backup)["a"]; len(got) != 1 || got[0].Key != first[0].Key {
		t.Errorf("pending are %+v", got)
	}
	p.done(backup, "a", first[0])
	if p.add(backup, "a", later, now) || len(p.of(backup)) != 0 {
		t.Error("another word for what is recorded is told to be new")
	}
}

func TestWhatPassedMayComeAgain(t *testing.T) {
	t.Parallel()
	p := newPending()
	stuck := failed("wait", "1", now)
	p.add(backup, "a", stuck, now)
	p.forget(backup, "a", stuck[0])
	if len(p.of(backup)) != 0 || !p.add(backup, "a", stuck, now) {
		t.Error("it is not told of again")
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
