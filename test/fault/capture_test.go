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

// fail creates a Job that fails, and waits until it has.
func fail(t *testing.T, ns, name string, with ...func(*batchv1.Job)) *batchv1.Job {
	t.Helper()
	job := harness.Create(t, cluster.Client, harness.Job(ns, name, append(with, harness.Failing("3"))...))
	cluster.JobIs(t, ns, name, batchv1.JobFailed)
	return job
}

func TestWhatFailedWhileTheOperatorWasDownIsCaptured(t *testing.T) {
	ns := cluster.Namespace(t)
	fail(t, ns, "with-its-pod")
	fail(t, ns, "without")
	err := cluster.Client.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(ns),
		client.MatchingLabels{batchv1.JobNameLabel: "without"}, client.GracePeriodSeconds(0))
	if err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, func() string {
		var pods corev1.PodList
		if err := cluster.Client.List(t.Context(), &pods, client.InNamespace(ns)); err != nil || len(pods.Items) != 1 {
			return fmt.Sprintf("there are %d pods, %v", len(pods.Items), err)
		}
		return ""
	})
	operator := operate(t)
	want := []string{"with-its-pod/BackoffLimitExceeded", "with-its-pod/ExitCode:3", "without/BackoffLimitExceeded"}
	before := cluster.Holds(t, ns, harness.JobAndCode, want...)
	stop(t, operator)

	// Everything is seen once more by the next one, and nothing written.
	operate(t)
	fail(t, ns, "a-later-one")
	after := cluster.Holds(t, ns, harness.JobAndCode, append([]string{"a-later-one/BackoffLimitExceeded", "a-later-one/ExitCode:3"}, want...)...)
	for _, was := range before {
		i := slices.IndexFunc(after, func(is joberrorv1.JobError) bool { return is.Name == was.Name })
		if is := after[i]; is.ResourceVersion != was.ResourceVersion || is.Status.Occurrences != 1 {
			t.Errorf("%s was written again: %+v, then %+v", was.Name, was.Status, is.Status)
		}
	}
}

// With its time to live over at once, the Job and its pod are gone. Its Event is left.
func TestWhatFailedAndVanishedWhileTheOperatorWasDownIsKnownFromItsEvent(t *testing.T) {
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), func(job *batchv1.Job) {
		job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0)
	}))
	harness.Eventually(t, func() string {
		var events corev1.EventList
		err := cluster.Client.List(t.Context(), &events, client.InNamespace(ns))
		failed := slices.ContainsFunc(events.Items, func(e corev1.Event) bool { return e.Reason == "BackoffLimitExceeded" })
		if gone := cluster.Client.Get(t.Context(), harness.Key(ns, "job"), &batchv1.Job{}); err != nil || !failed || !apierrors.IsNotFound(gone) {
			return fmt.Sprintf("the Job has not failed and gone: %v, %v", err, gone)
		}
		return ""
	})
	operate(t)
	je := cluster.Holds(t, ns, harness.JobAndCode, "job/BackoffLimitExceeded")[0]
	if !strings.Contains(je.Spec.Message, "from an Event") {
		t.Errorf("it says %q", je.Spec.Message)
	}
}

// A pod that a taint deletes is removed by another controller later, which gives
// that as the reason.
func TestAPodThatIsTakenIsOneFailureOverARestart(t *testing.T) {
	ns := cluster.Namespace(t)
	operator := operate(t)
	taken := func(reason string) string {
		return "phase: Running\nconditions:\n- {type: DisruptionTarget, status: 'True', reason: " + reason + "}"
	}
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(taken("DeletionByTaintManager"))))
	cluster.Holds(t, ns, harness.JobAndCode, "job/DeletionByTaintManager")
	stop(t, operator)

	cluster.Kubectl(t, "annotate", "pod", "-n", ns, "-l", batchv1.JobNameLabel+"=job", "--overwrite", "dev.joberror.io/status="+taken("DeletionByPodGC"))
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
		return "the pod does not say so yet"
	})
	operate(t)
	fail(t, ns, "a-later-one")
	cluster.Holds(t, ns, harness.JobAndCode, "a-later-one/BackoffLimitExceeded", "a-later-one/ExitCode:3", "job/DeletionByTaintManager")
	cluster.Kubectl(t, "delete", "job", "job", "-n", ns, "--cascade=foreground")
}

func TestJobsAreChosenByNamespaceAndLabel(t *testing.T) {
	chosen, other := cluster.Namespace(t), cluster.Namespace(t)
	operate(t, "--capture-namespaces="+chosen, "--capture-selector=tier!=test")
	test := func(job *batchv1.Job) { metav1.SetMetaDataLabel(&job.ObjectMeta, "tier", "test") }
	fail(t, other, "elsewhere")
	fail(t, chosen, "of-a-test", test)
	fail(t, chosen, "chosen")
	cluster.Holds(t, chosen, harness.JobAndCode, "chosen/BackoffLimitExceeded", "chosen/ExitCode:3")
	if got := cluster.Errors(t, other); len(got) > 0 {
		t.Errorf("in another namespace %v is captured", got)
	}
}

func TestNothingIsCapturedWhereThatIsOff(t *testing.T) {
	ns := cluster.Namespace(t)
	operator := operate(t, "--capture=false")
	fail(t, ns, "job")
	harness.Create(t, cluster.Client, harness.JobError(ns, "reported", "job"))
	cluster.When(t, ns, "reported", func(je *joberrorv1.JobError) bool { return je.Status.Job != nil })
	if got := cluster.Errors(t, ns); len(got) != 1 {
		t.Errorf("captured are %v", got)
	}
	stop(t, operator)
	operate(t)
	cluster.Holds(t, ns, harness.JobAndCode, "job/BackoffLimitExceeded", "job/ExitCode:3", "job/code")
}

// The one that waits longer is recorded after the time in which the other would
// have been.
func TestAPodThatComesToRunInTimeIsNotRecorded(t *testing.T) {
	ns := cluster.Namespace(t)
	operate(t, "--capture-grace=5s")
	stuck := harness.Playing(`phase: Pending
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
	cluster.JobIs(t, ns, "recovers", batchv1.JobComplete)
	harness.Create(t, cluster.Client, harness.Job(ns, "waits", stuck))
	cluster.Holds(t, ns, harness.JobAndCode, "waits/ImagePullBackOff")
	// An operator of a later test would find it waiting still, and record it.
	cluster.Kubectl(t, "delete", "job", "waits", "-n", ns, "--cascade=foreground")
}
