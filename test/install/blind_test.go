// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"fmt"
	"slices"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// vanishing lets a Job fail and be deleted at once, with its pod.
func vanishing(job *batchv1.Job) { job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) }

// Each failure is seen by whoever runs, and recorded by whoever leads then or later.
func TestNothingIsMissedWhileLeadersAreKilled(t *testing.T) {
	const jobs, kills = 300, 3
	ns := cluster.Namespace(t)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for range kills {
			if process := cluster.Pods.Process(leader(t)); process != nil {
				process.Kill()
			}
			time.Sleep(8 * time.Second)
		}
	}()
	failJobs(t, ns, jobs)
	<-killed
	kubectl(t, "rollout", "status", deployment, "--timeout=120s")
	recordedOnce(t, ns, jobs)
}

func TestNothingIsMissedDuringARollingRestart(t *testing.T) {
	const jobs = 150
	ns := cluster.Namespace(t)
	kubectl(t, "rollout", "restart", deployment)
	failJobs(t, ns, jobs)
	kubectl(t, "rollout", "status", deployment, "--timeout=180s")
	recordedOnce(t, ns, jobs)
}

// failJobs creates Jobs that fail, a few each second.
func failJobs(t *testing.T, ns string, n int) {
	t.Helper()
	pace := time.NewTicker(100 * time.Millisecond)
	defer pace.Stop()
	for i := range n {
		harness.Create(t, cluster.Client, harness.Job(ns, fmt.Sprintf("job-%03d", i), harness.Failing("3"), vanishing))
		<-pace.C
	}
}

// recordedOnce waits until each Job has both its records, and sees that each is
// counted once.
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
		for _, je := range errors {
			if je.Status.ObservedGeneration != je.Generation {
				return je.Name + " was not observed yet"
			}
		}
		return ""
	})
	if len(errors) != len(want) {
		t.Errorf("there are %d records, want %d", len(errors), len(want))
	}
	for _, je := range errors {
		if je.Status.Occurrences != 1 {
			t.Errorf("%s of %s is counted %d times", je.Spec.Code, je.Spec.JobID, je.Status.Occurrences)
		}
	}
}
