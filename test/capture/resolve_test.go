// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/test/harness"
	"joberror.io/operator/test/samples"
)

// mend takes from a pod what keeps it from running.
func mend(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	patch := harness.MergePatch(`{"metadata":{"annotations":{"dev.joberror.io/status":null,"dev.joberror.io/exit-code":null}}}`)
	if err := cluster.Client.Patch(t.Context(), pod, patch); err != nil {
		t.Fatal(err)
	}
}

func retried(job *batchv1.Job) { job.Spec.BackoffLimit = ptr.To[int32](6) }

func TestAPodThatComesToRunResolvesWhatKeptIt(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	samples.Apply(t, &cluster, ns, "image-pull")
	if je := captured(t, ns, "ImagePullBackOff")[0]; je.Status.Occurrences != 1 {
		t.Errorf("it is counted %d times", je.Status.Occurrences)
	}
	pod := podOf(t, ns, "image-pull", waits)
	mend(t, pod)
	je := resolvedFor(t, ns, "ImagePullBackOff", joberrorv1.ReasonRecovered)
	if je.Status.ResolvedBy != attribution.OperatorUser || !strings.Contains(message(je), pod.Name) {
		t.Errorf("resolved by %q: %s", je.Status.ResolvedBy, message(je))
	}
	reopen(t, je)
	staysReopened(t, ns, "image-pull", je)
}

// reopen reopens an error as somebody who knows better.
func reopen(t *testing.T, je joberrorv1.JobError) {
	t.Helper()
	if err := cluster.Client.Patch(t.Context(), &je, harness.MergePatch(`{"spec":{"resolved":false}}`)); err != nil {
		t.Fatal(err)
	}
}

// staysReopened sees that an error is reopened, and that the same success does not
// resolve it again.
func staysReopened(t *testing.T, ns, job string, je joberrorv1.JobError) {
	t.Helper()
	resolvedFor(t, ns, je.Spec.Code, joberrorv1.ReasonReopened)
	cluster.Kubectl(t, "annotate", "job", job, "-n", ns, "joberror.io/retention=7d")
	cluster.When(t, ns, je.Name, func(je *joberrorv1.JobError) bool { return je.Status.Job.Retention == "7d" })
	resolvedFor(t, ns, je.Spec.Code, joberrorv1.ReasonReopened)
}

func TestARetryThatSucceedsResolvesTheFailuresBefore(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", retried, harness.Playing(running)))
	ends(t, runs(t, ns, "job"), 7)
	captured(t, ns, "ExitCode:7")
	mend(t, runs(t, ns, "job"))
	je := resolvedFor(t, ns, "ExitCode:7", joberrorv1.ReasonJobSucceeded)
	if je.Status.ResolvedBy != attribution.OperatorUser || message(je) != "resolved: Job job succeeded" {
		t.Errorf("resolved by %q: %s", je.Status.ResolvedBy, message(je))
	}
	reopen(t, je)
	staysReopened(t, ns, "job", je)
}

// With a time to live of zero the Job is gone as soon as it has completed.
func TestASuccessCountsThoughItIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", retried, harness.Playing(running), func(job *batchv1.Job) { job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) }))
	ends(t, runs(t, ns, "job"), 7)
	captured(t, ns, "ExitCode:7")
	mend(t, runs(t, ns, "job"))
	resolvedFor(t, ns, "ExitCode:7", joberrorv1.ReasonJobSucceeded)
}

// It waits once more for its image, after a run: that is another time.
func TestAPodThatCanNotRunAgainReopensWhatWasRecovered(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	status := func(container string) string {
		return "phase: Pending\ncontainerStatuses:\n- {name: main, image: busybox, imageID: '', ready: false, restartCount: 0, " + container + "}"
	}
	const stuck = "state: {waiting: {reason: ImagePullBackOff}}"
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(status(stuck))))
	captured(t, ns, "ImagePullBackOff")
	pod := podOf(t, ns, "job", waits)
	show := func(container string) {
		cluster.Kubectl(t, "annotate", "pod", pod.Name, "-n", ns, "--overwrite", "dev.joberror.io/status="+status(container))
	}
	show("state: {running: {}}")
	resolvedFor(t, ns, "ImagePullBackOff", joberrorv1.ReasonRecovered)
	// A time is known in whole seconds.
	time.Sleep(2 * time.Second)
	show(fmt.Sprintf("%s, lastState: {terminated: {exitCode: 0, reason: Completed, finishedAt: %q}}", stuck, time.Now().UTC().Format(time.RFC3339)))
	resolvedFor(t, ns, "ImagePullBackOff", joberrorv1.ReasonReopened)
}

func TestRetriesAreCountedInOneError(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(running), func(job *batchv1.Job) { job.Spec.BackoffLimit = ptr.To[int32](2) }))
	var before metav1.Time
	for n := range int32(3) {
		ends(t, runs(t, ns, "job"), 7)
		harness.Eventually(t, func() string {
			for _, je := range cluster.Errors(t, ns) {
				if je.Spec.Code == "ExitCode:7" && je.Status.Occurrences == n+1 && !je.Status.LastSeen.Before(&before) {
					before = *je.Status.LastSeen
					return ""
				}
			}
			return "the failure is not counted"
		})
	}
	captured(t, ns, "BackoffLimitExceeded", "ExitCode:7")
}

func TestAFailureThatHappensAgainReopensItsError(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(running), retried))
	ends(t, runs(t, ns, "job"), 7)
	je := captured(t, ns, "ExitCode:7")[0]
	if err := cluster.Client.Patch(t.Context(), &je, harness.MergePatch(`{"spec":{"resolved":true}}`)); err != nil {
		t.Fatal(err)
	}
	resolvedFor(t, ns, "ExitCode:7", joberrorv1.ReasonSetByUser)
	ends(t, runs(t, ns, "job"), 7)
	je = resolvedFor(t, ns, "ExitCode:7", joberrorv1.ReasonReopened)
	if !strings.Contains(message(je), "the same failure happened again") {
		t.Errorf("the condition says %q", message(je))
	}
	harness.Eventually(t, func() string {
		if n := cluster.Errors(t, ns)[0].Status.Occurrences; n != 2 {
			return "it is not counted"
		}
		return ""
	})
}
