// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"slices"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// runningStatus is the status of a running pod.
const runningStatus = "phase: Running"

// runningPod waits until a pod of a Job runs, and returns it.
func runningPod(t *testing.T, ns, job string) *corev1.Pod {
	t.Helper()
	return awaitPod(t, ns, job, func(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodRunning })
}

// failPod writes that the only container of a pod exited with a code, as a kubelet does.
func failPod(t *testing.T, pod *corev1.Pod, code int) {
	t.Helper()
	failPodAs(t, pod, fmt.Sprintf(`{"exitCode":%d,"reason":"Error"}`, code))
}

// failPodAs writes the terminated state of the only container of a pod.
func failPodAs(t *testing.T, pod *corev1.Pod, terminated string) {
	t.Helper()
	patch := `{"status":{"phase":"Failed","containerStatuses":[{"name":"main","image":"busybox","imageID":"","ready":false,"restartCount":0,` +
		`"state":{"terminated":` + terminated + `}}]}}`
	if err := cluster.Client.Status().Patch(t.Context(), pod, harness.MergePatch(patch)); err != nil {
		t.Fatal(err)
	}
}

// setReadyNow writes that a pod became ready now, as a kubelet does. This shows the
// operator how the node's clock differs from the API server's.
func setReadyNow(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	patch := fmt.Sprintf(`{"status":{"conditions":[{"type":"ContainersReady","status":"True","lastTransitionTime":%q}]}}`, time.Now().UTC().Format(time.RFC3339))
	if err := cluster.Client.Status().Patch(t.Context(), pod, harness.MergePatch(patch)); err != nil {
		t.Fatal(err)
	}
}

func TestErrorsOutliveTheirJob(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3")))
	awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3")
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	for _, je := range awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3") {
		cluster.WaitFor(t, ns, je.Name, func(je *joberrorv1.JobError) bool {
			return harness.Reason(je.Status.Conditions, joberrorv1.ConditionLinked) == joberrorv1.ReasonJobDeleted
		})
	}
}

// The Job is deleted first. Its pod reports its failure while it terminates.
func TestCapturesAPodThatFailsAfterItsJobIsDeleted(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(runningStatus)))
	pod := runningPod(t, ns, "job")
	setReadyNow(t, pod)
	// The Job controller releases the pod when it has counted it. This finalizer keeps it.
	pod.Finalizers = append(pod.Finalizers, "example.com/hold")
	if err := cluster.Client.Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	pod = awaitPod(t, ns, "job", func(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
	// A later Job with the same name must not take over or resolve the error.
	later := harness.Create(t, cluster.Client, harness.Job(ns, "job", func(job *batchv1.Job) { job.Spec.Suspend = nil }))
	requested := pod.DeletionTimestamp.Add(-time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second)
	failPodAs(t, pod, fmt.Sprintf(`{"exitCode":4,"reason":"Error","finishedAt":%q}`, requested.Add(-10*time.Second).UTC().Format(time.RFC3339)))
	je := awaitErrors(t, ns, "ExitCode:4")[0]
	if je.Status.Job == nil || je.Status.Job.UID != job.UID || je.Status.Job.UID == later.UID {
		t.Errorf("linked to %+v, want the Job with UID %s", je.Status.Job, job.UID)
	}
	cluster.WaitJobCondition(t, ns, "job", batchv1.JobComplete)
	harness.Create(t, cluster.Client, harness.Job(ns, "other", harness.Failing("3")))
	for _, je := range awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3", "ExitCode:4") {
		if je.Spec.Resolved {
			t.Errorf("%s is resolved, want it open: %s", je.Spec.Code, resolvedMessage(je))
		}
	}
	if err := cluster.Client.Patch(t.Context(), pod, harness.MergePatch(`{"metadata":{"finalizers":null}}`)); err != nil {
		t.Fatal(err)
	}
}

func TestCapturesAPodDeletedAsItFails(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	const jobs = 20
	for i := range jobs {
		harness.Create(t, cluster.Client, harness.Job(ns, fmt.Sprintf("job-%02d", i), harness.WithPodStatus(runningStatus)))
	}
	for i := range jobs {
		pod := runningPod(t, ns, fmt.Sprintf("job-%02d", i))
		failPod(t, pod, i+1)
		patch := harness.MergePatch(`{"metadata":{"finalizers":null}}`)
		if err := cluster.Client.Patch(t.Context(), pod, patch); err != nil {
			t.Fatal(err)
		}
		if err := cluster.Client.Delete(t.Context(), pod, client.GracePeriodSeconds(0)); client.IgnoreNotFound(err) != nil {
			t.Fatal(err)
		}
	}
	// If the Job controller missed the failure, it starts another pod, so other errors
	// may be captured as well.
	harness.Eventually(t, func() string {
		got := harness.Names(cluster.Errors(t, ns), harness.Code)
		for i := range jobs {
			if code := fmt.Sprintf("ExitCode:%d", i+1); !slices.Contains(got, code) {
				return code + " is not captured"
			}
		}
		return ""
	})
}

func TestSuspendedJobHasNotFailed(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(runningStatus)))
	pod := runningPod(t, ns, "job")
	if err := cluster.Client.Patch(t.Context(), pod, harness.MergePatch(`{"metadata":{"finalizers":["example.com/hold"]}}`)); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Client.Patch(t.Context(), job, harness.MergePatch(`{"spec":{"suspend":true}}`)); err != nil {
		t.Fatal(err)
	}
	pod = awaitPod(t, ns, "job", func(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
	failPodAs(t, pod, fmt.Sprintf(`{"exitCode":143,"reason":"Error","finishedAt":%q}`, pod.DeletionTimestamp.UTC().Format(time.RFC3339)))
	if err := cluster.Client.Patch(t.Context(), pod, harness.MergePatch(`{"metadata":{"finalizers":null}}`)); err != nil {
		t.Fatal(err)
	}
	cluster.WaitJobCondition(t, ns, "job", batchv1.JobSuspended)
	// Failures are captured in order, so once this one is, no other error is pending.
	harness.Create(t, cluster.Client, harness.Job(ns, "other", harness.Failing("3")))
	awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3")
}

// Reported records do not count toward the limit.
func TestCountsFailuresOverTheLimitInOneError(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	const indexes = captureLimit + 15
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), func(job *batchv1.Job) {
		job.Spec.CompletionMode = ptr.To(batchv1.IndexedCompletion)
		job.Spec.Completions, job.Spec.Parallelism = ptr.To[int32](indexes), ptr.To[int32](indexes)
		job.Spec.BackoffLimit, job.Spec.BackoffLimitPerIndex = nil, ptr.To[int32](0)
		job.Spec.Template.Annotations["dev.joberror.io/message"] = `[{"code":"row","message":"1"},{"code":"row","message":"2"}]`
	}))
	want := []string{"CaptureLimitExceeded", "FailedIndexes", "row", "row"}
	for range captureLimit {
		want = append(want, "ExitCode:3")
	}
	awaitErrors(t, ns, want...)
	harness.Eventually(t, func() string {
		for _, je := range cluster.Errors(t, ns) {
			if je.Labels[joberrorv1.LabelCaptured] == joberrorv1.CapturedOverflow && je.Status.Occurrences == indexes-captureLimit {
				return ""
			}
		}
		return "the failures over the limit are not counted yet"
	})
	awaitErrors(t, ns, want...)
}

// The webhook rejects a createdAt that is ahead of the operator's clock.
func TestCapturesAFailureFromANodeWithAFastClock(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(runningStatus)))
	failPodAs(t, runningPod(t, ns, "job"), fmt.Sprintf(`{"exitCode":4,"reason":"Error","finishedAt":%q}`, time.Now().UTC().Add(time.Hour).Format(time.RFC3339)))
	for _, je := range awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:4") {
		if at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt); err != nil || at.After(time.Now()) {
			t.Errorf("createdAt of %s = %q, want a time that is not in the future: %v", je.Spec.Code, je.Spec.CreatedAt, err)
		}
	}
}

func TestIgnoresAnOldCreatedAtInAReportedRecord(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", func(job *batchv1.Job) {
		metav1.SetMetaDataAnnotation(&job.Spec.Template.ObjectMeta, "dev.joberror.io/message", `{"code":"row","message":"row 1","createdAt":"2020-01-01T00:00:00Z"}`)
		job.Spec.Suspend = nil
	}))
	je := awaitErrors(t, ns, "row")[0]
	if at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt); err != nil || time.Since(at) > time.Hour {
		t.Errorf("createdAt = %q, want a time in the last hour: %v", je.Spec.CreatedAt, err)
	}
}

// The taint manager deletes the pod first. The pod garbage collector then writes its own
// reason.
func TestCountsADisruptionOnceIfItsReasonChanges(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(runningStatus), withRetries))
	pod := runningPod(t, ns, "job")
	disrupt := func(reason string) {
		patch := harness.MergePatch(fmt.Sprintf(`{"status":{"conditions":[{"type":"DisruptionTarget","status":"True","reason":%q}]}}`, reason))
		if err := cluster.Client.Status().Patch(t.Context(), pod, patch); err != nil {
			t.Fatal(err)
		}
	}
	disrupt("DeletionByTaintManager")
	awaitErrors(t, ns, "DeletionByTaintManager")
	disrupt("DeletionByPodGC")
	// Failures are captured in order, so once this one is, no other error is pending.
	harness.Create(t, cluster.Client, harness.Job(ns, "other", harness.Failing("3")))
	awaitErrors(t, ns, "BackoffLimitExceeded", "DeletionByTaintManager", "ExitCode:3")
}

// The Job controller does not label the pods of such a Job.
func TestCapturesAJobWithAManualSelector(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), func(job *batchv1.Job) {
		job.Spec.ManualSelector = ptr.To(true)
		job.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"run": "by-hand"}}
		job.Spec.Template.Labels = map[string]string{"run": "by-hand"}
	}))
	awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3")
}

func TestCapturesEarlierFailuresOnceAnOptOutIsRemoved(t *testing.T) {
	t.Parallel()
	annotated := map[string]func(ns string) []string{
		"on the Job":       func(ns string) []string { return []string{"job", "job", "-n", ns} },
		"on the namespace": func(ns string) []string { return []string{"namespace", ns} },
	}
	for name, object := range annotated {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			harness.Create(t, cluster.Client, harness.Job(ns, "job", func(job *batchv1.Job) { job.Spec.BackoffLimit = ptr.To[int32](0) }))
			annotate := func(value string) {
				cluster.Kubectl(t, append([]string{"annotate", "--overwrite"}, append(object(ns), "joberror.io/capture"+value)...)...)
			}
			annotate("=false")
			// The operator sees the annotation before the failure.
			cluster.Kubectl(t, "patch", "job", "job", "-n", ns, "--type=merge", "-p",
				`{"spec":{"suspend":false,"template":{"metadata":{"annotations":{"dev.joberror.io/exit-code":"3"}}}}}`)
			cluster.WaitJobCondition(t, ns, "job", batchv1.JobFailed)
			if got := cluster.Errors(t, ns); len(got) > 0 {
				t.Errorf("captured %v, want nothing", harness.Names(got, harness.Code))
			}
			annotate("-")
			awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3")
		})
	}
}

// The pod can't run, and is deleted before --capture-grace ends. A pod that had only
// begun to wait when its Job was suspended has not failed.
func TestRecordsWhyADeletedPodWasWaiting(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", withRetries, harness.WithPodStatus("phase: Pending\nconditions:\n- {type: PodScheduled, status: 'False', reason: Unschedulable, message: no node}")))
	awaitPod(t, ns, "job", func(pod *corev1.Pod) bool { return len(pod.Status.Conditions) > 0 })
	cluster.Kubectl(t, "delete", "job", "job", "-n", ns)
	awaitErrors(t, ns, "Unschedulable")
}

// An eviction often follows a wait for a node in clusters that add and remove nodes.
func TestRecordsAWaitAndAnEvictionAsTwoErrors(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus("phase: Pending\nconditions:\n- {type: PodScheduled, status: 'False', reason: Unschedulable, message: no node}")))
	awaitErrors(t, ns, "Unschedulable")
	pod := awaitPod(t, ns, "job", func(pod *corev1.Pod) bool { return true })
	patch := harness.MergePatch(`{"status":{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory.","conditions":[{"type":"PodScheduled","status":"True"}]}}`)
	if err := cluster.Client.Status().Patch(t.Context(), pod, patch); err != nil {
		t.Fatal(err)
	}
	awaitErrors(t, ns, "BackoffLimitExceeded", "Evicted", "Unschedulable")
}

func TestDoesNotRecordFailuresThatThePolicyIgnores(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.WithPodStatus(runningStatus), func(job *batchv1.Job) {
		job.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{
			Action:      batchv1.PodFailurePolicyActionIgnore,
			OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: []int32{42}},
		}}}
	}))
	pod := runningPod(t, ns, "job")
	failPod(t, pod, 42)
	// The Job continues with another pod.
	next := awaitPod(t, ns, "job", func(p *corev1.Pod) bool { return p.UID != pod.UID && p.Status.Phase == corev1.PodRunning })
	failPod(t, next, 3)
	awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3")
}

// The Job may be deleted before the error has its first status.
func TestRetentionOutlivesTheJob(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), harness.Annotated(joberrorv1.AnnotationRetention, "7d"), func(job *batchv1.Job) {
		job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0)
	}))
	for _, je := range awaitErrors(t, ns, "BackoffLimitExceeded", "ExitCode:3") {
		at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt)
		if err != nil || je.Status.ExpiresAt == nil || !je.Status.ExpiresAt.Time.Equal(at.AddDate(0, 0, 7)) || je.Status.Job == nil || je.Status.Job.Retention != "7d" {
			t.Errorf("%s, created at %s: expires at %v, Job %+v, %v; want 7 days later, retention 7d", je.Spec.Code, je.Spec.CreatedAt, je.Status.ExpiresAt, je.Status.Job, err)
		}
	}
}
