// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"

	"joberror.io/operator/internal/failure"
	"joberror.io/operator/test/harness"
)

func suspended(job *batchv1.Job) { job.Spec.Suspend = ptr.To(true) }

// resume lets a suspended Job run.
func resume(t *testing.T, job *batchv1.Job) {
	t.Helper()
	if err := cluster.Client.Patch(t.Context(), job, harness.MergePatch(`{"spec":{"suspend":false}}`)); err != nil {
		t.Fatal(err)
	}
}

// Whoever may create JobErrors can compute the name of the record of a failure to come.
func TestRecordsAFailureWhoseNameIsTaken(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), suspended))
	name := failure.ErrorName(job.Name, job.UID, "exit/main/ExitCode:3")
	cluster.Grant(t, ns, "squatter", "edit")
	squatter := cluster.ClientFor(t, "squatter")
	for n := range 2 {
		harness.Create(t, squatter, harness.JobError(ns, failure.NumberedName(name, n+1), "job"))
	}
	resume(t, job)
	errs := awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3", "code", "code")
	for _, je := range errs {
		if want := failure.NumberedName(name, 3); je.Spec.Code == "ExitCode:3" && (je.Name != want || je.Status.Occurrences != 1) {
			t.Errorf("%s has %d occurrences, want %s with 1", je.Name, je.Status.Occurrences, want)
		}
		if je.Spec.Code == "code" && je.Status.Occurrences != 0 {
			t.Errorf("%s, which the user created, counts %d occurrences of the failure", je.Name, je.Status.Occurrences)
		}
	}
}

// What a Job reports is not suppressed either: not by an error of another Job, and not by
// one that says something else.
func TestRecordsAReportWhoseNameIsTaken(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(runningStatus), withRetries, suspended))
	name := failure.ErrorName(job.Name, job.UID, "record/row-17")
	harness.Create(t, cluster.Client, harness.JobError(ns, name, "another"))
	harness.Create(t, cluster.Client, harness.JobError(ns, failure.NumberedName(name, 2), "job"))
	resume(t, job)
	failPodAs(t, runningPod(t, ns, "job"), `{"exitCode":0,"reason":"Completed","message":"{\"_id\":\"row-17\",\"code\":\"row\"}"}`)
	for _, je := range awaitErrors(t, ns, "code", "code", "row") {
		if je.Spec.Code == "row" && je.Name != failure.NumberedName(name, 3) {
			t.Errorf("the record is %s, want %s", je.Name, failure.NumberedName(name, 3))
		}
		if je.Spec.Code == "code" && je.Status.Occurrences != 0 {
			t.Errorf("%s, which a user created, counts %d occurrences of the record", je.Name, je.Status.Occurrences)
		}
	}
}
