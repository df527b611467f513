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

// quota allows so many objects of a kind in a namespace.
func quota(t *testing.T, ns string, what corev1.ResourceName, n int64) *corev1.ResourceQuota {
	t.Helper()
	q := harness.Create(t, cluster.Client, &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "nothing-left"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{what: *resource.NewQuantity(n, resource.DecimalSI)}},
	})
	harness.Eventually(t, func() string {
		if got := harness.Get(t, cluster.Client, ns, q.Name, &corev1.ResourceQuota{}); len(got.Status.Hard) == 0 {
			return "the quota is not in force yet"
		}
		return ""
	})
	return q
}

func lift(t *testing.T, q *corev1.ResourceQuota) {
	t.Helper()
	if err := cluster.Client.Delete(t.Context(), q); err != nil {
		t.Fatal(err)
	}
}

func TestAJobThatIsBlockedByAQuotaIsRecorded(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	q := quota(t, ns, corev1.ResourcePods, 0)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", func(job *batchv1.Job) { job.Spec.Suspend = nil }))
	je := captured(t, ns, "FailedCreate")[0]
	if !strings.Contains(je.Spec.Message, "exceeded quota: nothing-left") || je.Spec.Source != "job" || je.Status.Job == nil {
		t.Errorf("it says %q of %q, linked to %+v", je.Spec.Message, je.Spec.Source, je.Status.Job)
	}
	isOfClass(t, je, joberrorv1.ClassResources)
	lift(t, q)
	resolvedFor(t, ns, "FailedCreate", joberrorv1.ReasonRecovered)
}

func TestAJobThatIsBlockedAndDeletedIsRecordedOnce(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", func(job *batchv1.Job) {
		job.Spec.Suspend = nil
		job.Spec.Template.Spec.ServiceAccountName = "nobody"
	}))
	je := captured(t, ns, "FailedCreate")[0]
	if !strings.Contains(je.Spec.Message, `serviceaccount "nobody" not found`) {
		t.Errorf("it says %q", je.Spec.Message)
	}
	isOfClass(t, je, joberrorv1.ClassConfiguration)
	cluster.Kubectl(t, "delete", "job", "job", "-n", ns)
	harness.Create(t, cluster.Client, harness.Job(ns, "other", harness.Failing("3")))
	captured(t, ns, "FailedCreate", "BackoffLimitExceeded", "ExitCode:3")
}

func isOfClass(t *testing.T, je joberrorv1.JobError, class string) {
	t.Helper()
	if got := je.Labels[joberrorv1.LabelClass]; got != class {
		t.Errorf("%s is of the class %q, want %q: %s", je.Spec.Code, got, class, je.Spec.Message)
	}
}

// due lets the CronJob controller start the next run now.
func due(t *testing.T, cronJob *batchv1.CronJob) {
	t.Helper()
	patch := fmt.Sprintf(`{"status":{"lastScheduleTime":%q}}`, time.Now().Add(-time.Hour).UTC().Format(time.RFC3339))
	if err := cluster.Client.Status().Patch(t.Context(), cronJob, harness.MergePatch(patch)); err != nil {
		t.Fatal(err)
	}
}

func TestACronJobThatCannotStartIsRecordedUntilARunSucceeds(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	q := quota(t, ns, "count/jobs.batch", 0)
	cronJob := harness.Create(t, cluster.Client, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "nightly"},
		Spec: batchv1.CronJobSpec{
			Schedule: "*/30 * * * *", ConcurrencyPolicy: batchv1.AllowConcurrent,
			JobTemplate: batchv1.JobTemplateSpec{Spec: harness.Job(ns, "job", func(job *batchv1.Job) { job.Spec.Suspend = nil }).Spec},
		},
	})
	// A Job may have the name of the CronJob, and is not what failed.
	due(t, cronJob)
	je := captured(t, ns, "FailedCreate")[0]
	if !strings.Contains(je.Spec.Message, "exceeded quota: nothing-left") || je.Spec.Source != "cronjob" || je.Spec.JobID != "nightly" ||
		je.Labels[joberrorv1.LabelCronJobName] != "nightly" || je.Status.Job != nil || len(je.OwnerReferences) > 0 {
		t.Errorf("recorded is %+v, %+v, %+v", je.ObjectMeta, je.Spec, je.Status)
	}
	isOfClass(t, je, joberrorv1.ClassSchedule)
	lift(t, q)
	due(t, cronJob)
	resolvedFor(t, ns, "FailedCreate", joberrorv1.ReasonJobSucceeded)
}

// event reports something about an object, as a component of Kubernetes does.
func event(t *testing.T, about corev1.ObjectReference, reason, message string) {
	t.Helper()
	now := metav1.Now()
	harness.Create(t, cluster.Client, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{Namespace: about.Namespace, GenerateName: "event-"},
		InvolvedObject: about, Reason: reason, Message: message, Type: corev1.EventTypeWarning,
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	})
}

func TestAJobThatNobodySawFailIsRecordedFromItsEvent(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	gone := corev1.ObjectReference{APIVersion: "batch/v1", Kind: "Job", Namespace: ns, Name: "gone", UID: types.UID("11111111-2222-4333-8444-555555555555")}
	event(t, gone, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
	event(t, gone, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
	event(t, gone, "SuccessfulDelete", "of no interest")
	je := captured(t, ns, "BackoffLimitExceeded")[0]
	if je.Spec.JobID != "gone" || !strings.Contains(je.Spec.Message, "from an Event") || je.Status.Occurrences != 1 {
		t.Errorf("recorded is %+v, %+v", je.Spec, je.Status)
	}
}

// A Job's own status says more than its Event, and both are one failure.
func TestAFailureThatAnEventRepeatsIsOne(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3")))
	captured(t, ns, "BackoffLimitExceeded", "ExitCode:3")
	about := corev1.ObjectReference{APIVersion: "batch/v1", Kind: "Job", Namespace: ns, Name: job.Name, UID: job.UID}
	event(t, about, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
	event(t, corev1.ObjectReference{APIVersion: "batch/v1", Kind: "Job", Namespace: ns, Name: "gone", UID: "u"}, "DeadlineExceeded", "later")
	for _, je := range captured(t, ns, "BackoffLimitExceeded", "DeadlineExceeded", "ExitCode:3") {
		if je.Status.Occurrences != 1 || je.Spec.Code == "BackoffLimitExceeded" && strings.Contains(je.Spec.Message, "Event") {
			t.Errorf("%s: %q, %d times", je.Spec.Code, je.Spec.Message, je.Status.Occurrences)
		}
	}
}

func TestAPodThatWaitsForItsVolumeIsRecorded(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(`phase: Pending
containerStatuses:
- {name: main, image: busybox, imageID: "", ready: false, restartCount: 0, state: {waiting: {reason: ContainerCreating}}}`)))
	pod := podOf(t, ns, "job", waits)
	event(t, corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: ns, Name: pod.Name, UID: pod.UID}, "FailedMount",
		`MountVolume.SetUp failed for volume "settings" : configmap "settings" not found`)
	if je := captured(t, ns, "FailedMount")[0]; !strings.Contains(je.Spec.Message, "settings") || je.Spec.Source != pod.Name {
		t.Errorf("it says %q of %q", je.Spec.Message, je.Spec.Source)
	}
	mend(t, pod)
	resolvedFor(t, ns, "FailedMount", joberrorv1.ReasonRecovered)
}
