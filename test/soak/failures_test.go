// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"fmt"
	"strconv"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"

	"joberror.io/operator/test/harness"
	"joberror.io/operator/test/soak/ledger"
)

// jobCode is the code of a Job whose pods have failed too often.
const jobCode = "BackoffLimitExceeded"

// failed enters the errors of a Job that failed: one for its pods, and one for itself.
func (a *actor) failed(job *batchv1.Job, podCode string) []string {
	a.ledger.Happened(ledger.Error{Namespace: job.Namespace, Job: job.Name, Code: podCode}, int(job.Status.Failed))
	a.ledger.Happened(ledger.Error{Namespace: job.Namespace, Job: job.Name, Code: jobCode}, 1)
	a.tally.add("failures", int(job.Status.Failed)+1)
	a.tally.add("jobs", 1)
	return []string{podCode, jobCode}
}

// exitCode chooses an exit code, and returns it with the code of the error.
func (a *actor) exitCode() (exit, code string) {
	exit = strconv.Itoa(a.between(1, 9))
	return exit, "ExitCode:" + exit
}

// withRetries lets a Job retry n times.
func withRetries(n int) func(*batchv1.Job) {
	return func(job *batchv1.Job) { job.Spec.BackoffLimit = ptr.To(int32(n)) }
}

// failWithRetries runs a Job whose pods fail several times, and deletes it once its errors
// are recorded.
func failWithRetries(ctx context.Context, a *actor) error {
	exit, code := a.exitCode()
	job := harness.Job(a.namespace(), a.object(""), harness.Failing(exit), withRetries(a.between(0, 2)))
	if err := a.create(ctx, job); err != nil {
		return err
	}
	job, err := a.awaitJob(ctx, job.Namespace, job.Name, batchv1.JobFailed)
	if err != nil {
		return err
	}
	codes := a.failed(job, code)
	if a.maybe() {
		return nil
	}
	if err := a.awaitCounted(ctx, job, codes); err != nil {
		return err
	}
	return a.deleteJob(ctx, job)
}

// awaitCounted waits until all failures of a Job are recorded: when the Job is deleted, a
// replica that starts later can't see them.
func (a *actor) awaitCounted(ctx context.Context, job *batchv1.Job, codes []string) error {
	return until(ctx, fmt.Sprintf("wait for the failures of Job %s/%s", job.Namespace, job.Name), func(ctx context.Context) error {
		list, err := a.errorsOf(ctx, job.Namespace, job.Name)
		if err != nil {
			return err
		}
		counted := map[string]int32{}
		for _, je := range list {
			counted[je.Spec.Code] += je.Status.Occurrences
		}
		if counted[codes[0]] < job.Status.Failed || counted[codes[1]] < 1 {
			return fmt.Errorf("counted %v of %d", counted, job.Status.Failed)
		}
		return nil
	})
}

// deleteJob deletes a Job. Its errors stay.
func (a *actor) deleteJob(ctx context.Context, job *batchv1.Job) error {
	a.tally.add("deleted jobs", 1)
	return a.delete(ctx, harness.Job(job.Namespace, job.Name))
}

// failAndVanish runs a Job that is deleted together with its pod as soon as it has failed. A
// failure is lost if all replicas that saw it die before it is recorded, or if no replica
// saw it. The faults that can cause this wait until the failures are recorded.
func failAndVanish(ctx context.Context, a *actor) error {
	a.vanishing.RLock()
	defer a.vanishing.RUnlock()
	exit, code := a.exitCode()
	job := harness.Job(a.namespace(), a.object(""), harness.Failing(exit))
	job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0)
	if err := a.create(ctx, job); err != nil {
		return err
	}
	job.Status.Failed = 1
	_, err := a.awaitErrors(ctx, job.Namespace, job.Name, a.failed(job, code), exists)
	return err
}
