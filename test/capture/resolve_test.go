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

// fixPod removes the annotations that keep a pod from running.
func fixPod(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	patch := harness.MergePatch(`{"metadata":{"annotations":{"dev.joberror.io/status":null,"dev.joberror.io/exit-code":null}}}`)
	if err := cluster.Client.Patch(t.Context(), pod, patch); err != nil {
		t.Fatal(err)
	}
}

// withRetries lets a Job retry 6 times.
func withRetries(job *batchv1.Job) { job.Spec.BackoffLimit = ptr.To[int32](6) }

func TestResolvesTheErrorOfAPodThatRecovers(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	samples.Apply(t, &cluster, ns, "image-pull")
	if je := awaitErrors(t, ns, "ImagePullBackOff")[0]; je.Status.Occurrences != 1 {
		t.Errorf("occurrences = %d, want 1", je.Status.Occurrences)
	}
	pod := awaitPod(t, ns, "image-pull", isWaiting)
	fixPod(t, pod)
	je := awaitReason(t, ns, "ImagePullBackOff", joberrorv1.ReasonRecovered)
	if je.Status.ResolvedBy != attribution.OperatorUser || !strings.Contains(resolvedMessage(je), pod.Name) {
		t.Errorf("resolved by %q with message %q, want the operator and the pod's name", je.Status.ResolvedBy, resolvedMessage(je))
	}
	reopen(t, je)
	checkStaysReopened(t, ns, "image-pull", je)
}

// reopen reopens an error, as a user who disagrees with the operator does.
func reopen(t *testing.T, je joberrorv1.JobError) {
	t.Helper()
	if err := cluster.Client.Patch(t.Context(), &je, harness.MergePatch(`{"spec":{"resolved":false}}`)); err != nil {
		t.Fatal(err)
	}
}

// checkStaysReopened waits until an error is reopened, and checks that the same success
// does not resolve it again.
func checkStaysReopened(t *testing.T, ns, job string, je joberrorv1.JobError) {
	t.Helper()
	awaitReason(t, ns, je.Spec.Code, joberrorv1.ReasonReopened)
	cluster.Kubectl(t, "annotate", "job", job, "-n", ns, "joberror.io/retention=7d")
	cluster.WaitFor(t, ns, je.Name, func(je *joberrorv1.JobError) bool { return je.Status.Job.Retention == "7d" })
	awaitReason(t, ns, je.Spec.Code, joberrorv1.ReasonReopened)
}

func TestSuccessfulRetryResolvesEarlierFailures(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", withRetries, harness.WithPodStatus(runningStatus)))
	failPod(t, runningPod(t, ns, "job"), 7)
	awaitErrors(t, ns, "ExitCode:7")
	fixPod(t, runningPod(t, ns, "job"))
	je := awaitReason(t, ns, "ExitCode:7", joberrorv1.ReasonJobSucceeded)
	if je.Status.ResolvedBy != attribution.OperatorUser || resolvedMessage(je) != "resolved: Job job succeeded" {
		t.Errorf("resolved by %q with message %q, want the operator and the success of Job job", je.Status.ResolvedBy, resolvedMessage(je))
	}
	reopen(t, je)
	checkStaysReopened(t, ns, "job", je)
}

// With a TTL of 0 the Job is deleted as soon as it completes.
func TestResolvesErrorsOfAJobDeletedOnSuccess(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", withRetries, harness.WithPodStatus(runningStatus), func(job *batchv1.Job) { job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0) }))
	failPod(t, runningPod(t, ns, "job"), 7)
	awaitErrors(t, ns, "ExitCode:7")
	fixPod(t, runningPod(t, ns, "job"))
	awaitReason(t, ns, "ExitCode:7", joberrorv1.ReasonJobSucceeded)
}

// The pod waits for its image again after it ran: that is another occurrence.
func TestReopensWhenARecoveredPodIsStuckAgain(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	status := func(container string) string {
		return "phase: Pending\ncontainerStatuses:\n- {name: main, image: busybox, imageID: '', ready: false, restartCount: 0, " + container + "}"
	}
	const stuck = "state: {waiting: {reason: ImagePullBackOff}}"
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(status(stuck))))
	awaitErrors(t, ns, "ImagePullBackOff")
	pod := awaitPod(t, ns, "job", isWaiting)
	setStatus := func(container string) {
		cluster.Kubectl(t, "annotate", "pod", pod.Name, "-n", ns, "--overwrite", "dev.joberror.io/status="+status(container))
	}
	setStatus("state: {running: {}}")
	awaitReason(t, ns, "ImagePullBackOff", joberrorv1.ReasonRecovered)
	// The API stores times in whole seconds.
	time.Sleep(2 * time.Second)
	setStatus(fmt.Sprintf("%s, lastState: {terminated: {exitCode: 0, reason: Completed, finishedAt: %q}}", stuck, time.Now().UTC().Format(time.RFC3339)))
	awaitReason(t, ns, "ImagePullBackOff", joberrorv1.ReasonReopened)
}

func TestCountsRetriesInOneError(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(runningStatus), func(job *batchv1.Job) { job.Spec.BackoffLimit = ptr.To[int32](2) }))
	var lastSeen metav1.Time
	for n := range int32(3) {
		failPod(t, runningPod(t, ns, "job"), 7)
		harness.Eventually(t, func() string {
			for _, je := range cluster.Errors(t, ns) {
				if je.Spec.Code == "ExitCode:7" && je.Status.Occurrences == n+1 && !je.Status.LastSeen.Before(&lastSeen) {
					lastSeen = *je.Status.LastSeen
					return ""
				}
			}
			return fmt.Sprintf("ExitCode:7 does not have %d occurrences yet", n+1)
		})
	}
	awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:7")
}

func TestReopensAnErrorThatHappensAgain(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(runningStatus), withRetries))
	failPod(t, runningPod(t, ns, "job"), 7)
	je := awaitErrors(t, ns, "ExitCode:7")[0]
	if err := cluster.Client.Patch(t.Context(), &je, harness.MergePatch(`{"spec":{"resolved":true}}`)); err != nil {
		t.Fatal(err)
	}
	awaitReason(t, ns, "ExitCode:7", joberrorv1.ReasonSetByUser)
	failPod(t, runningPod(t, ns, "job"), 7)
	je = awaitReason(t, ns, "ExitCode:7", joberrorv1.ReasonReopened)
	if !strings.Contains(resolvedMessage(je), "the same failure happened again") {
		t.Errorf("message = %q, want that the failure happened again", resolvedMessage(je))
	}
	harness.Eventually(t, func() string {
		if n := cluster.Errors(t, ns)[0].Status.Occurrences; n != 2 {
			return fmt.Sprintf("occurrences = %d, want 2", n)
		}
		return ""
	})
}
