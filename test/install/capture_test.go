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

// withZeroTTL makes a Job and its pod disappear as soon as the Job has finished.
func withZeroTTL(job *batchv1.Job) { job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) }

// Every running replica sees each failure. The current or the next leader records it. A
// failure is lost only if all replicas that saw it die before one of them leads.
func TestMissesNoFailureWhileLeadersAreKilled(t *testing.T) {
	const jobs, kills = 300, 3
	ns := cluster.Namespace(t)
	failing := failJobs(t, ns, jobs, 250*time.Millisecond)
	for range kills {
		previous, previousHolder := cluster.Leader(t), leaseHolder(t)
		process := cluster.Pods.Process(previous)
		if process == nil {
			t.Fatalf("the leader %q has no process", previous)
		}
		process.Kill()
		harness.Eventually(t, func() string {
			if leaseHolder(t) == previousHolder {
				return "no other replica leads yet"
			}
			return ""
		})
		if next := cluster.Leader(t); next == previous {
			t.Errorf("%s leads again, but missed the failures while it was down", next)
		}
		checkRecordedOnce(t, ns, int(failing.created.Load()))
	}
	failing.wait(t)
	kubectl(t, "rollout", "status", deployment, "--timeout=120s")
	checkRecordedOnce(t, ns, jobs)
}

func TestMissesNoFailureDuringARollingRestart(t *testing.T) {
	const jobs = 150
	ns := cluster.Namespace(t)
	failing := failJobs(t, ns, jobs, 100*time.Millisecond)
	kubectl(t, "rollout", "restart", deployment)
	failing.wait(t)
	kubectl(t, "rollout", "status", deployment, "--timeout=180s")
	checkRecordedOnce(t, ns, jobs)
}

// leaseHolder returns the identity that holds the lease.
func leaseHolder(t *testing.T) string {
	t.Helper()
	lease := harness.Get(t, cluster.Client, attribution.OperatorNamespace, "joberror-operator", &coordinationv1.Lease{})
	return ptr.Deref(lease.Spec.HolderIdentity, "")
}

// failingJobs creates Jobs that fail, in the background.
type failingJobs struct {
	created atomic.Int32
	err     error
	done    chan struct{}
}

// failJobs starts to create n Jobs that fail, one per interval.
func failJobs(t *testing.T, ns string, n int, interval time.Duration) *failingJobs {
	t.Helper()
	f := &failingJobs{done: make(chan struct{})}
	go func() {
		defer close(f.done)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for i := range n {
			job := harness.Job(ns, fmt.Sprintf("job-%03d", i), harness.Failing("3"), withZeroTTL)
			if f.err = cluster.Client.Create(t.Context(), job); f.err != nil {
				return
			}
			f.created.Add(1)
			<-ticker.C
		}
	}()
	return f
}

// wait waits until all Jobs are created.
func (f *failingJobs) wait(t *testing.T) {
	t.Helper()
	if <-f.done; f.err != nil {
		t.Fatal(f.err)
	}
}

// checkRecordedOnce waits until both errors of each of the first n Jobs are recorded, and
// checks that each has one occurrence.
func checkRecordedOnce(t *testing.T, ns string, n int) {
	t.Helper()
	var want []string
	for i := range n {
		job := fmt.Sprintf("job-%03d", i)
		want = append(want, job+"/BackoffLimitExceeded", job+"/ExitCode:3")
	}
	var recorded []joberrorv1.JobError
	harness.EventuallyWithin(t, 3*time.Minute, func() string {
		recorded = cluster.Errors(t, ns)
		got := harness.Names(recorded, harness.JobAndCode)
		if missing := slices.DeleteFunc(slices.Clone(want), func(name string) bool { return slices.Contains(got, name) }); len(missing) > 0 {
			return fmt.Sprintf("%d of %d errors are missing: %v", len(missing), len(want), missing)
		}
		recorded = slices.DeleteFunc(recorded, func(je joberrorv1.JobError) bool { return !slices.Contains(want, harness.JobAndCode(&je)) })
		for _, je := range recorded {
			if je.Status.ObservedGeneration != je.Generation {
				return je.Name + " is not observed yet"
			}
		}
		return ""
	})
	if len(recorded) != len(want) {
		t.Errorf("found %d errors of the first %d Jobs, want %d", len(recorded), n, len(want))
	}
	for _, je := range recorded {
		if je.Status.Occurrences != 1 {
			t.Errorf("%s of Job %s: occurrences = %d, want 1", je.Spec.Code, je.Spec.JobID, je.Status.Occurrences)
		}
	}
}
