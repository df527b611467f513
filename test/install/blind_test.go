// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/test/harness"
)

// vanishing lets a Job fail and be deleted at once, with its pod.
func vanishing(job *batchv1.Job) { job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) }

// Each failure is seen by every replica that runs, and recorded by the one that leads
// then or next. A failure is lost only if all that saw it die before one of them led.
func TestNothingIsMissedWhileLeadersAreKilled(t *testing.T) {
	const jobs, kills = 300, 3
	ns := cluster.Namespace(t)
	failing := failJobs(t, ns, jobs, 250*time.Millisecond)
	for range kills {
		led, by := leader(t), holder(t)
		process := cluster.Pods.Process(led)
		if process == nil {
			t.Fatalf("the leader %q has no process", led)
		}
		process.Kill()
		harness.Eventually(t, func() string {
			if holder(t) == by {
				return "nobody else leads"
			}
			return ""
		})
		if next := leader(t); next == led {
			t.Errorf("%s leads again, and has not seen what failed while it was down", next)
		}
		recordedOnce(t, ns, int(failing.created.Load()))
	}
	failing.wait(t)
	kubectl(t, "rollout", "status", deployment, "--timeout=120s")
	recordedOnce(t, ns, jobs)
}

func TestNothingIsMissedDuringARollingRestart(t *testing.T) {
	const jobs = 150
	ns := cluster.Namespace(t)
	failing := failJobs(t, ns, jobs, 100*time.Millisecond)
	kubectl(t, "rollout", "restart", deployment)
	failing.wait(t)
	kubectl(t, "rollout", "status", deployment, "--timeout=180s")
	recordedOnce(t, ns, jobs)
}

// holder returns who holds the lease.
func holder(t *testing.T) string {
	t.Helper()
	lease := harness.Get(t, cluster.Client, attribution.OperatorNamespace, "joberror-operator", &coordinationv1.Lease{})
	return ptr.Deref(lease.Spec.HolderIdentity, "")
}

// failing is a stream of Jobs that fail.
type failing struct {
	created atomic.Int32
	err     error
	done    chan struct{}
}

// failJobs creates Jobs that fail, one after each pause.
func failJobs(t *testing.T, ns string, n int, pause time.Duration) *failing {
	t.Helper()
	f := &failing{done: make(chan struct{})}
	go func() {
		defer close(f.done)
		pace := time.NewTicker(pause)
		defer pace.Stop()
		for i := range n {
			job := harness.Job(ns, fmt.Sprintf("job-%03d", i), harness.Failing("3"), vanishing)
			if f.err = cluster.Client.Create(t.Context(), job); f.err != nil {
				return
			}
			f.created.Add(1)
			<-pace.C
		}
	}()
	return f
}

// wait waits until all Jobs are created.
func (f *failing) wait(t *testing.T) {
	t.Helper()
	if <-f.done; f.err != nil {
		t.Fatal(f.err)
	}
}

// recordedOnce waits until each of the first Jobs has both its records, and sees that
// each is counted once.
func recordedOnce(t *testing.T, ns string, n int) {
	t.Helper()
	var want []string
	for i := range n {
		job := fmt.Sprintf("job-%03d", i)
		want = append(want, job+"/BackoffLimitExceeded", job+"/ExitCode:3")
	}
	var errors []joberrorv1.JobError
	harness.EventuallyIn(t, 3*time.Minute, func() string {
		errors = cluster.Errors(t, ns)
		got := harness.Named(errors, harness.JobAndCode)
		if missing := slices.DeleteFunc(slices.Clone(want), func(name string) bool { return slices.Contains(got, name) }); len(missing) > 0 {
			return fmt.Sprintf("%d of %d are missing: %v", len(missing), len(want), missing)
		}
		errors = slices.DeleteFunc(errors, func(je joberrorv1.JobError) bool { return !slices.Contains(want, harness.JobAndCode(&je)) })
		for _, je := range errors {
			if je.Status.ObservedGeneration != je.Generation {
				return je.Name + " was not observed yet"
			}
		}
		return ""
	})
	if len(errors) != len(want) {
		t.Errorf("there are %d records of the first %d Jobs, want %d", len(errors), n, len(want))
	}
	for _, je := range errors {
		if je.Status.Occurrences != 1 {
			t.Errorf("%s of %s is counted %d times", je.Spec.Code, je.Spec.JobID, je.Status.Occurrences)
		}
	}
}
