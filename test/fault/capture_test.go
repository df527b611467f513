// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// failJob creates a Job that fails, and waits until it has failed.
func failJob(t *testing.T, ns, name string, with ...func(*batchv1.Job)) {
	t.Helper()
	harness.Create(t, cluster.Client, harness.Job(ns, name, append(with, harness.Failing("3"))...))
	cluster.WaitJobCondition(t, ns, name, batchv1.JobFailed)
}

func TestCapturesFailuresFromDowntime(t *testing.T) {
	ns := cluster.Namespace(t)
	failJob(t, ns, "with-its-pod")
	failJob(t, ns, "without")
	err := cluster.Client.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(ns),
		client.MatchingLabels{batchv1.JobNameLabel: "without"}, client.GracePeriodSeconds(0))
	if err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, func() string {
		var pods corev1.PodList
		if err := cluster.Client.List(t.Context(), &pods, client.InNamespace(ns)); err != nil || len(pods.Items) != 1 {
			return fmt.Sprintf("found %d pods, want 1: %v", len(pods.Items), err)
		}
		return ""
	})
	operator := operate(t)
	want := []string{"with-its-pod/BackoffLimitExceeded", "with-its-pod/ExitCode:3", "without/BackoffLimitExceeded"}
	first := cluster.WaitErrors(t, ns, harness.JobAndCode, want...)
	stop(t, operator)

	// The next operator sees everything again, and must not write anything.
	operate(t)
	failJob(t, ns, "a-later-one")
	second := cluster.WaitErrors(t, ns, harness.JobAndCode, append([]string{"a-later-one/BackoffLimitExceeded", "a-later-one/ExitCode:3"}, want...)...)
	for _, before := range first {
		i := slices.IndexFunc(second, func(je joberrorv1.JobError) bool { return je.Name == before.Name })
		if after := second[i]; after.ResourceVersion != before.ResourceVersion || after.Status.Occurrences != 1 {
			t.Errorf("%s was written again: status = %+v, was %+v", before.Name, after.Status, before.Status)
		}
	}
}

// With a TTL of 0, the Job and its pod are deleted immediately. Only the Event is left.
func TestCapturesADeletedJobFromItsEvent(t *testing.T) {
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), func(job *batchv1.Job) {
		job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0)
	}))
	harness.Eventually(t, func() string {
		var events corev1.EventList
		err := cluster.Client.List(t.Context(), &events, client.InNamespace(ns))
		failed := slices.ContainsFunc(events.Items, func(e corev1.Event) bool { return e.Reason == "BackoffLimitExceeded" })
		if getErr := cluster.Client.Get(t.Context(), harness.Key(ns, "job"), &batchv1.Job{}); err != nil || !failed || !apierrors.IsNotFound(getErr) {
			return fmt.Sprintf("the Job has not failed and been deleted yet: %v, %v", err, getErr)
		}
		return ""
	})
	operate(t)
	je := cluster.WaitErrors(t, ns, harness.JobAndCode, "job/BackoffLimitExceeded")[0]
	if !strings.Contains(je.Spec.Message, "from an Event") {
		t.Errorf("message = %q, want one from an Event", je.Spec.Message)
	}
}

// A taint deletes the pod. Later, another controller removes it and writes its own
// reason.
func TestCountsADisruptionOnceAcrossARestart(t *testing.T) {
	ns := cluster.Namespace(t)
	operator := operate(t)
	disrupted := func(reason string) string {
		return "phase: Running\nconditions:\n- {type: DisruptionTarget, status: 'True', reason: " + reason + "}"
	}
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(disrupted("DeletionByTaintManager"))))
	cluster.WaitErrors(t, ns, harness.JobAndCode, "job/DeletionByTaintManager")
	stop(t, operator)

	cluster.Kubectl(t, "annotate", "pod", "-n", ns, "-l", batchv1.JobNameLabel+"=job", "--overwrite", "dev.joberror.io/status="+disrupted("DeletionByPodGC"))
	harness.Eventually(t, func() string {
		var pods corev1.PodList
		if err := cluster.Client.List(t.Context(), &pods, client.InNamespace(ns)); err != nil {
			return err.Error()
		}
		for _, c := range pods.Items[0].Status.Conditions {
			if c.Reason == "DeletionByPodGC" {
				return ""
			}
		}
		return "the pod does not have the new reason yet"
	})
	operate(t)
	failJob(t, ns, "a-later-one")
	cluster.WaitErrors(t, ns, harness.JobAndCode, "a-later-one/BackoffLimitExceeded", "a-later-one/ExitCode:3", "job/DeletionByTaintManager")
	cluster.Kubectl(t, "delete", "job", "job", "-n", ns, "--cascade=foreground")
}

func TestCapturesOnlyTheSelectedJobs(t *testing.T) {
	selected, other := cluster.Namespace(t), cluster.Namespace(t)
	operate(t, "--capture-namespaces="+selected, "--capture-selector=tier!=test")
	testTier := func(job *batchv1.Job) { metav1.SetMetaDataLabel(&job.ObjectMeta, "tier", "test") }
	failJob(t, other, "elsewhere")
	failJob(t, selected, "of-a-test", testTier)
	failJob(t, selected, "chosen")
	cluster.WaitErrors(t, selected, harness.JobAndCode, "chosen/BackoffLimitExceeded", "chosen/ExitCode:3")
	if got := cluster.Errors(t, other); len(got) > 0 {
		t.Errorf("captured %v in another namespace, want nothing", got)
	}
}

func TestCapturesNothingWithCaptureOff(t *testing.T) {
	ns := cluster.Namespace(t)
	operator := operate(t, "--capture=false")
	failJob(t, ns, "job")
	harness.Create(t, cluster.Client, harness.JobError(ns, "reported", "job"))
	cluster.WaitFor(t, ns, "reported", func(je *joberrorv1.JobError) bool { return je.Status.Job != nil })
	if got := cluster.Errors(t, ns); len(got) != 1 {
		t.Errorf("errors = %v, want only the reported one", got)
	}
	stop(t, operator)
	operate(t)
	cluster.WaitErrors(t, ns, harness.JobAndCode, "job/BackoffLimitExceeded", "job/ExitCode:3", "job/code")
}

// The pod that stays stuck starts later. By the time it is recorded, the grace period of the
// pod that recovered has ended.
func TestDoesNotRecordAPodThatRecoversInTime(t *testing.T) {
	ns := cluster.Namespace(t)
	operate(t, "--capture-grace=15s")
	stuck := harness.WithPodStatus(`phase: Pending
containerStatuses:
- {name: main, image: busybox, imageID: "", ready: false, restartCount: 0, state: {waiting: {reason: ImagePullBackOff}}}`)
	harness.Create(t, cluster.Client, harness.Job(ns, "recovers", stuck))
	harness.Eventually(t, func() string {
		var pods corev1.PodList
		err := cluster.Client.List(t.Context(), &pods, client.InNamespace(ns))
		if err != nil || len(pods.Items) == 0 || len(pods.Items[0].Status.ContainerStatuses) == 0 {
			return fmt.Sprintf("no pod waits yet: %v", err)
		}
		patch := harness.MergePatch(`{"metadata":{"annotations":{"dev.joberror.io/status":null}}}`)
		if err := cluster.Client.Patch(t.Context(), &pods.Items[0], patch); err != nil {
			return err.Error()
		}
		return ""
	})
	cluster.WaitJobCondition(t, ns, "recovers", batchv1.JobComplete)
	harness.Create(t, cluster.Client, harness.Job(ns, "waits", stuck))
	cluster.WaitErrors(t, ns, harness.JobAndCode, "waits/ImagePullBackOff")
	// Otherwise the operator of a later test would find the pod waiting and record it.
	cluster.Kubectl(t, "delete", "job", "waits", "-n", ns, "--cascade=foreground")
}
