// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// cronJob builds one whose runs fail and report a record, and that never runs by
// itself.
func cronJob(ns, name string, annotations map[string]string) *batchv1.CronJob {
	job := harness.Job(ns, name, harness.Failing("3"))
	job.Spec.Template.Annotations["dev.joberror.io/message"] = `{"code":"row","message":"row 1"}`
	job.Annotations = annotations
	return cronJobOf(job)
}

// cronJobOf builds one that bears a Job's name, whose runs are like the Job, and
// that never runs by itself.
func cronJobOf(job *batchv1.Job) *batchv1.CronJob {
	return &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: job.Namespace, Name: job.Name},
		Spec: batchv1.CronJobSpec{
			Schedule: "0 0 1 1 *", Suspend: ptr.To(true),
			JobTemplate: batchv1.JobTemplateSpec{ObjectMeta: metav1.ObjectMeta{Annotations: job.Annotations}, Spec: job.Spec},
		},
	}
}

// run starts a run of a CronJob.
func run(t *testing.T, ns, cronJob, name string) {
	t.Helper()
	cluster.Kubectl(t, "create", "job", name, "-n", ns, "--from=cronjob/"+cronJob)
}

// mended lets the next runs of a CronJob succeed.
func mended(t *testing.T, cronJob *batchv1.CronJob) {
	t.Helper()
	patch := `{"spec":{"jobTemplate":{"spec":{"template":{"metadata":{"annotations":null}}}}}}`
	if err := cluster.Client.Patch(t.Context(), cronJob, harness.MergePatch(patch)); err != nil {
		t.Fatal(err)
	}
}

func TestTheNextRunOfACronJobResolvesTheErrorsOfTheOneBefore(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	nightly := harness.Create(t, cluster.Client, cronJob(ns, "nightly", nil))
	run(t, ns, "nightly", "run-1")
	for _, je := range captured(t, ns, "BackoffLimitExceeded", "ExitCode:3", "row") {
		if captured := je.Spec.Code != "row"; (je.Labels[joberrorv1.LabelCronJobName] == "nightly") != captured {
			t.Errorf("%s has the labels %v", je.Spec.Code, je.Labels)
		}
	}
	cluster.Kubectl(t, "delete", "job", "run-1", "-n", ns)
	mended(t, nightly)
	run(t, ns, "nightly", "run-2")
	for _, code := range []string{"BackoffLimitExceeded", "ExitCode:3"} {
		if je := resolvedFor(t, ns, code, joberrorv1.ReasonJobSucceeded); message(je) != "resolved: Job run-2 succeeded" {
			t.Errorf("%s: %s", code, message(je))
		}
	}
	// Nobody but who reported it knows when the row is dealt with.
	resolvedFor(t, ns, "row", joberrorv1.ReasonOpen)
}

// What an earlier run fails of after a later one succeeded is not over.
func TestARunThatFailsAgainAfterTheNextOneSucceededReopensItsErrors(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	nightly := harness.Create(t, cluster.Client, cronJobOf(harness.Job(ns, "nightly", harness.Playing(running), retried)))
	run(t, ns, "nightly", "run-1")
	ends(t, runs(t, ns, "run-1"), 7)
	captured(t, ns, "ExitCode:7")
	mended(t, nightly)
	run(t, ns, "nightly", "run-2")
	resolvedFor(t, ns, "ExitCode:7", joberrorv1.ReasonJobSucceeded)
	ends(t, runs(t, ns, "run-1"), 7)
	je := resolvedFor(t, ns, "ExitCode:7", joberrorv1.ReasonReopened)
	if je.Status.Occurrences != 2 || !je.Status.FirstSeen.Before(je.Status.LastSeen) {
		t.Errorf("it was seen %d times, from %s to %s", je.Status.Occurrences, je.Status.FirstSeen, je.Status.LastSeen)
	}
	staysReopened(t, ns, "run-1", je)
}

func TestWhatIsOptedOutStaysOpen(t *testing.T) {
	t.Parallel()
	out, in := cluster.Namespace(t), cluster.Namespace(t)
	cluster.Kubectl(t, "annotate", "namespace", out, joberrorv1.AnnotationAutoResolve+"=false")
	cronJobs := []*batchv1.CronJob{
		harness.Create(t, cluster.Client, cronJob(out, "of-the-namespace", nil)),
		harness.Create(t, cluster.Client, cronJob(in, "nightly", map[string]string{joberrorv1.AnnotationAutoResolve: "false"})),
		harness.Create(t, cluster.Client, cronJob(in, "weekly", nil)),
	}
	for _, c := range cronJobs {
		run(t, c.Namespace, c.Name, c.Name+"-1")
	}
	codes := []string{"BackoffLimitExceeded", "ExitCode:3", "row"}
	captured(t, out, codes...)
	captured(t, in, slices.Concat(codes, codes)...)
	for _, c := range cronJobs {
		mended(t, c)
		run(t, c.Namespace, c.Name, c.Name+"-2")
		cluster.JobIs(t, c.Namespace, c.Name+"-2", batchv1.JobComplete)
	}
	// The last of them is resolved, and so the others have been looked at.
	harness.Eventually(t, func() string {
		resolved := 0
		for _, je := range cluster.Errors(t, in) {
			if je.Status.ResolvedAt != nil && je.Labels[joberrorv1.LabelCronJobName] == "weekly" {
				resolved++
			}
		}
		if resolved != 2 {
			return "the errors of the last CronJob are not resolved"
		}
		return ""
	})
	for _, je := range append(cluster.Errors(t, in), cluster.Errors(t, out)...) {
		if je.Labels[joberrorv1.LabelCronJobName] != "weekly" && je.Spec.Resolved {
			t.Errorf("%s of %s is resolved", je.Spec.Code, je.Spec.JobID)
		}
	}
}

func TestWhatIsOptedOutIsNotCaptured(t *testing.T) {
	t.Parallel()
	out, in := cluster.Namespace(t), cluster.Namespace(t)
	cluster.Kubectl(t, "annotate", "namespace", out, joberrorv1.AnnotationCapture+"=false")
	harness.Create(t, cluster.Client, harness.Job(out, "job", harness.Failing("3")))
	cluster.JobIs(t, out, "job", batchv1.JobFailed)
	harness.Create(t, cluster.Client, harness.Job(in, "out", harness.Failing("3"), harness.Annotated(joberrorv1.AnnotationCapture, "false")))
	cluster.JobIs(t, in, "out", batchv1.JobFailed)
	harness.Create(t, cluster.Client, cronJob(in, "nightly", map[string]string{joberrorv1.AnnotationCapture: "false"}))
	run(t, in, "nightly", "run-1")
	cluster.JobIs(t, in, "run-1", batchv1.JobFailed)
	harness.Create(t, cluster.Client, harness.Job(in, "in", harness.Failing("3")))
	for _, je := range captured(t, in, "BackoffLimitExceeded", "ExitCode:3") {
		if je.Spec.JobID != "in" {
			t.Errorf("of %s is captured %s", je.Spec.JobID, je.Spec.Code)
		}
	}
	captured(t, out)
}
