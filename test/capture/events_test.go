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
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// createQuota allows n objects of a resource in a namespace, and waits until the quota
// applies.
func createQuota(t *testing.T, ns string, name corev1.ResourceName, n int64) *corev1.ResourceQuota {
	t.Helper()
	q := harness.Create(t, cluster.Client, &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "nothing-left"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{name: *resource.NewQuantity(n, resource.DecimalSI)}},
	})
	harness.Eventually(t, func() string {
		if _, applies := harness.Get(t, cluster.Client, ns, q.Name, &corev1.ResourceQuota{}).Status.Used[name]; !applies {
			return "the quota does not apply yet"
		}
		return ""
	})
	return q
}

func deleteQuota(t *testing.T, q *corev1.ResourceQuota) {
	t.Helper()
	if err := cluster.Client.Delete(t.Context(), q); err != nil {
		t.Fatal(err)
	}
}

func TestRecordsAJobBlockedByAQuota(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	q := createQuota(t, ns, corev1.ResourcePods, 0)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", func(job *batchv1.Job) { job.Spec.Suspend = nil }))
	je := awaitErrors(t, ns, "FailedCreate")[0]
	if !strings.Contains(je.Spec.Message, "exceeded quota: nothing-left") || je.Spec.Source != "job" || je.Status.Job == nil {
		t.Errorf("message %q, source %q, Job %+v; want the exceeded quota, source job, a linked Job", je.Spec.Message, je.Spec.Source, je.Status.Job)
	}
	checkClass(t, je, joberrorv1.ClassResources)
	deleteQuota(t, q)
	awaitReason(t, ns, "FailedCreate", joberrorv1.ReasonRecovered)
}

func TestRecordsABlockedAndDeletedJobOnce(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", func(job *batchv1.Job) {
		job.Spec.Suspend = nil
		job.Spec.Template.Spec.ServiceAccountName = "nobody"
	}))
	je := awaitErrors(t, ns, "FailedCreate")[0]
	if !strings.Contains(je.Spec.Message, `serviceaccount "nobody" not found`) {
		t.Errorf("message = %q, want the missing ServiceAccount", je.Spec.Message)
	}
	checkClass(t, je, joberrorv1.ClassConfiguration)
	cluster.Kubectl(t, "delete", "job", "job", "-n", ns)
	harness.Create(t, cluster.Client, harness.Job(ns, "other", harness.Failing("3")))
	awaitErrors(t, ns, "FailedCreate", "BackoffLimitExceeded", "ExitCode:3")
}

func checkClass(t *testing.T, je joberrorv1.JobError, class string) {
	t.Helper()
	if got := je.Labels[joberrorv1.LabelClass]; got != class {
		t.Errorf("class of %s = %q, want %q: %s", je.Spec.Code, got, class, je.Spec.Message)
	}
}

// makeDue makes the next run of a CronJob due now.
func makeDue(t *testing.T, cronJob *batchv1.CronJob) {
	t.Helper()
	patch := fmt.Sprintf(`{"status":{"lastScheduleTime":%q}}`, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	if err := cluster.Client.Status().Patch(t.Context(), cronJob, harness.MergePatch(patch)); err != nil {
		t.Fatal(err)
	}
}

func TestCronJobThatCannotStartIsOpenUntilARunSucceeds(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	q := createQuota(t, ns, "count/jobs.batch", 0)
	cronJob := harness.Create(t, cluster.Client, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "nightly"},
		Spec: batchv1.CronJobSpec{
			Schedule: "*/30 * * * *", ConcurrencyPolicy: batchv1.AllowConcurrent,
			JobTemplate: batchv1.JobTemplateSpec{Spec: harness.Job(ns, "job", func(job *batchv1.Job) { job.Spec.Suspend = nil }).Spec},
		},
	})
	makeDue(t, cronJob)
	// The error must not link to a Job, since a Job with the CronJob's name did not fail.
	je := awaitErrors(t, ns, "FailedCreate")[0]
	if !strings.Contains(je.Spec.Message, "exceeded quota: nothing-left") || je.Spec.Source != "cronjob" || je.Spec.JobID != "nightly" ||
		je.Labels[joberrorv1.LabelCronJobName] != "nightly" || je.Status.Job != nil || len(je.OwnerReferences) > 0 {
		t.Errorf("recorded %+v, %+v, %+v; want FailedCreate of CronJob nightly without a Job", je.ObjectMeta, je.Spec, je.Status)
	}
	checkClass(t, je, joberrorv1.ClassSchedule)
	deleteQuota(t, q)
	makeDue(t, cronJob)
	awaitReason(t, ns, "FailedCreate", joberrorv1.ReasonJobSucceeded)
}

// createEvent creates an Event about an object, as a Kubernetes component does.
func createEvent(t *testing.T, about corev1.ObjectReference, reason, message string) {
	t.Helper()
	now := metav1.Now()
	harness.Create(t, cluster.Client, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: about.Namespace, GenerateName: "event-"},
		InvolvedObject: about, Reason: reason, Message: message, Type: corev1.EventTypeWarning,
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	})
}

func TestRecordsAnUnseenJobFailureFromItsEvent(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	gone := corev1.ObjectReference{APIVersion: "batch/v1", Kind: "Job", Namespace: ns, Name: "gone", UID: types.UID("11111111-2222-4333-8444-555555555555")}
	createEvent(t, gone, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
	createEvent(t, gone, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
	createEvent(t, gone, "SuccessfulDelete", "not a failure")
	je := awaitErrors(t, ns, "BackoffLimitExceeded")[0]
	if je.Spec.JobID != "gone" || !strings.Contains(je.Spec.Message, "from an Event") || je.Status.Occurrences != 1 {
		t.Errorf("recorded %+v, %+v; want one occurrence for Job gone, from an Event", je.Spec, je.Status)
	}
}

// A Job's status says more than its Event. Both are the same failure.
func TestCountsAFailureAndItsEventOnce(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3")))
	awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3")
	about := corev1.ObjectReference{APIVersion: "batch/v1", Kind: "Job", Namespace: ns, Name: job.Name, UID: job.UID}
	createEvent(t, about, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
	createEvent(t, corev1.ObjectReference{APIVersion: "batch/v1", Kind: "Job", Namespace: ns, Name: "gone", UID: "u"}, "DeadlineExceeded", "later")
	for _, je := range awaitErrors(t, ns, "BackoffLimitExceeded", "DeadlineExceeded", "ExitCode:3") {
		if je.Status.Occurrences != 1 || je.Spec.Code == "BackoffLimitExceeded" && strings.Contains(je.Spec.Message, "Event") {
			t.Errorf("%s: message %q, %d occurrences; want the status's message and 1", je.Spec.Code, je.Spec.Message, je.Status.Occurrences)
		}
	}
}

func TestRecordsAPodThatWaitsForItsVolume(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(`phase: Pending
containerStatuses:
- {name: main, image: busybox, imageID: "", ready: false, restartCount: 0, state: {waiting: {reason: ContainerCreating}}}`)))
	pod := awaitPod(t, ns, "job", isWaiting)
	createEvent(t, corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: ns, Name: pod.Name, UID: pod.UID}, "FailedMount",
		`MountVolume.SetUp failed for volume "settings" : configmap "settings" not found`)
	if je := awaitErrors(t, ns, "FailedMount")[0]; !strings.Contains(je.Spec.Message, "settings") || je.Spec.Source != pod.Name {
		t.Errorf("message %q, source %q; want the missing settings and source %s", je.Spec.Message, je.Spec.Source, pod.Name)
	}
	fixPod(t, pod)
	awaitReason(t, ns, "FailedMount", joberrorv1.ReasonRecovered)
}
