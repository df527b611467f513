// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// failingCronJob builds a CronJob that never runs on schedule. Its runs fail and report
// a record.
func failingCronJob(ns, name string, annotations map[string]string) *batchv1.CronJob {
	job := harness.Job(ns, name, harness.Failing("3"))
	job.Spec.Template.Annotations["dev.joberror.io/message"] = `{"code":"row","message":"row 1"}`
	job.Annotations = annotations
	return cronJobFrom(job)
}

// cronJobFrom builds a CronJob with the name and spec of a Job. It never runs on
// schedule.
func cronJobFrom(job *batchv1.Job) *batchv1.CronJob {
	return &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: job.Namespace, Name: job.Name},
		Spec: batchv1.CronJobSpec{
			Schedule: "0 0 1 1 *", Suspend: ptr.To(true),
			JobTemplate: batchv1.JobTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: job.Annotations}, Spec: job.Spec},
		},
	}
}

// startRun starts a run of a CronJob.
func startRun(t *testing.T, ns, cronJobName, name string) {
	t.Helper()
	cluster.Kubectl(t, "create", "job", name, "-n", ns, "--from=cronjob/"+cronJobName)
}

// fixCronJob makes the next runs of a CronJob succeed.
func fixCronJob(t *testing.T, cronJob *batchv1.CronJob) {
	t.Helper()
	patch := `{"spec":{"jobTemplate":{"spec":{"template":{"metadata":{"annotations":null}}}}}}`
	if err := cluster.Client.Patch(t.Context(), cronJob, harness.MergePatch(patch)); err != nil {
		t.Fatal(err)
	}
}

func TestNextCronJobRunResolvesErrorsOfThePreviousRun(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	nightly := harness.Create(t, cluster.Client, failingCronJob(ns, "nightly", nil))
	startRun(t, ns, "nightly", "run-1")
	for _, je := range awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3", "row") {
		if isCaptured := je.Spec.Code != "row"; (je.Labels[joberrorv1.LabelCronJobName] == "nightly") != isCaptured {
			t.Errorf("labels of %s = %v; CronJob label wanted: %t", je.Spec.Code, je.Labels, isCaptured)
		}
	}
	cluster.Kubectl(t, "delete", "job", "run-1", "-n", ns)
	fixCronJob(t, nightly)
	startRun(t, ns, "nightly", "run-2")
	for _, code := range []string{"BackoffLimitExceeded", "ExitCode:3"} {
		if je := awaitReason(t, ns, code, joberrorv1.ReasonJobSucceeded); resolvedMessage(je) != "resolved: Job run-2 succeeded" {
			t.Errorf("message of %s = %q, want the success of run-2", code, resolvedMessage(je))
		}
	}
	// Only the pipeline that reported the row knows when it is fixed.
	awaitReason(t, ns, "row", joberrorv1.ReasonOpen)
}

// The success of a later run does not cover failures that happen after it.
func TestReopensErrorsWhenAnEarlierRunFailsAgain(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	nightly := harness.Create(t, cluster.Client, cronJobFrom(harness.Job(ns, "nightly", harness.WithPodStatus(runningStatus), withRetries)))
	startRun(t, ns, "nightly", "run-1")
	failPod(t, runningPod(t, ns, "run-1"), 7)
	awaitErrors(t, ns, "ExitCode:7")
	fixCronJob(t, nightly)
	startRun(t, ns, "nightly", "run-2")
	awaitReason(t, ns, "ExitCode:7", joberrorv1.ReasonJobSucceeded)
	failPod(t, runningPod(t, ns, "run-1"), 7)
	je := awaitReason(t, ns, "ExitCode:7", joberrorv1.ReasonReopened)
	if je.Status.Occurrences != 2 || !je.Status.FirstSeen.Before(je.Status.LastSeen) {
		t.Errorf("occurrences = %d from %s to %s, want 2 at different times", je.Status.Occurrences, je.Status.FirstSeen, je.Status.LastSeen)
	}
	checkStaysReopened(t, ns, "run-1", je)
}

func TestOptedOutErrorsStayOpen(t *testing.T) {
	t.Parallel()
	out, in := cluster.Namespace(t), cluster.Namespace(t)
	cluster.Kubectl(t, "annotate", "namespace", out, joberrorv1.AnnotationAutoResolve+"=false")
	cronJobs := []*batchv1.CronJob{
		harness.Create(t, cluster.Client, failingCronJob(out, "in-opted-out-namespace", nil)),
		harness.Create(t, cluster.Client, failingCronJob(in, "nightly", map[string]string{joberrorv1.AnnotationAutoResolve: "false"})),
		harness.Create(t, cluster.Client, failingCronJob(in, "weekly", nil)),
	}
	for _, c := range cronJobs {
		startRun(t, c.Namespace, c.Name, c.Name+"-1")
	}
	codes := []string{"BackoffLimitExceeded", "ExitCode:3", "row"}
	awaitErrors(t, out, codes...)
	awaitErrors(t, in, slices.Concat(codes, codes)...)
	for _, c := range cronJobs {
		fixCronJob(t, c)
		startRun(t, c.Namespace, c.Name, c.Name+"-2")
		cluster.WaitJobCondition(t, c.Namespace, c.Name+"-2", batchv1.JobComplete)
	}
	// The operator handles the last CronJob last, so it has handled the others too.
	harness.Eventually(t, func() string {
		resolved := 0
		for _, je := range cluster.Errors(t, in) {
			if je.Status.ResolvedAt != nil && je.Labels[joberrorv1.LabelCronJobName] == "weekly" {
				resolved++
			}
		}
		if resolved != 2 {
			return fmt.Sprintf("%d errors of CronJob weekly are resolved, want 2", resolved)
		}
		return ""
	})
	for _, je := range append(cluster.Errors(t, in), cluster.Errors(t, out)...) {
		if je.Labels[joberrorv1.LabelCronJobName] != "weekly" && je.Spec.Resolved {
			t.Errorf("%s of Job %s is resolved, want it open", je.Spec.Code, je.Spec.JobID)
		}
	}
}

func TestDoesNotCaptureOptedOutFailures(t *testing.T) {
	t.Parallel()
	out, in := cluster.Namespace(t), cluster.Namespace(t)
	cluster.Kubectl(t, "annotate", "namespace", out, joberrorv1.AnnotationCapture+"=false")
	harness.Create(t, cluster.Client, harness.Job(out, "job", harness.Failing("3")))
	cluster.WaitJobCondition(t, out, "job", batchv1.JobFailed)
	harness.Create(t, cluster.Client, harness.Job(in, "out", harness.Failing("3"), harness.Annotated(joberrorv1.AnnotationCapture, "false")))
	cluster.WaitJobCondition(t, in, "out", batchv1.JobFailed)
	harness.Create(t, cluster.Client, failingCronJob(in, "nightly", map[string]string{joberrorv1.AnnotationCapture: "false"}))
	startRun(t, in, "nightly", "run-1")
	cluster.WaitJobCondition(t, in, "run-1", batchv1.JobFailed)
	harness.Create(t, cluster.Client, harness.Job(in, "in", harness.Failing("3")))
	for _, je := range awaitErrors(t, in, "BackoffLimitExceeded", "ExitCode:3") {
		if je.Spec.JobID != "in" {
			t.Errorf("captured %s of Job %s, want only errors of Job in", je.Spec.Code, je.Spec.JobID)
		}
	}
	awaitErrors(t, out)
}
