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

// running is the status of a pod that runs.
const running = "phase: Running"

// runs waits for a pod of the Job that runs.
func runs(t *testing.T, ns, job string) *corev1.Pod {
	t.Helper()
	return podOf(t, ns, job, func(pod *corev1.Pod) bool { return pod.Status.Phase == corev1.PodRunning })
}

// ends writes that the only container of a pod ended, as a kubelet does.
func ends(t *testing.T, pod *corev1.Pod, code int) {
	t.Helper()
	endsAs(t, pod, fmt.Sprintf(`{"exitCode":%d,"reason":"Error"}`, code))
}

// endsAs writes how the only container of a pod ended.
func endsAs(t *testing.T, pod *corev1.Pod, how string) {
	t.Helper()
	patch := `{"status":{"phase":"Failed","containerStatuses":[{"name":"main","image":"busybox","imageID":"","ready":false,"restartCount":0,` +
		`"state":{"terminated":` + how + `}}]}}`
	if err := cluster.Client.Status().Patch(t.Context(), pod, harness.MergePatch(patch)); err != nil {
		t.Fatal(err)
	}
}

// dated writes that a pod became ready just now, as a kubelet does: it shows how the
// node's clock differs from the API server's.
func dated(t *testing.T, pod *corev1.Pod) {
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
	captured(t, ns, "BackoffLimitExceeded", "ExitCode:3")
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	for _, je := range captured(t, ns, "BackoffLimitExceeded", "ExitCode:3") {
		cluster.When(t, ns, je.Name, func(je *joberrorv1.JobError) bool {
			return harness.Reason(je.Status.Conditions, joberrorv1.ConditionLinked) == joberrorv1.ReasonJobDeleted
		})
	}
}

// The Job goes first, and its pod says how it failed on its way out.
func TestAPodThatFailsAfterItsJobIsGoneIsCaptured(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(running)))
	pod := runs(t, ns, "job")
	dated(t, pod)
	// The Job controller counts the pod before it goes.
	pod.Finalizers = append(pod.Finalizers, "example.com/hold")
	if err := cluster.Client.Update(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	pod = podOf(t, ns, "job", func(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
	// A later Job of the same name is another Job, and its success is its own.
	later := harness.Create(t, cluster.Client, harness.Job(ns, "job", func(job *batchv1.Job) { job.Spec.Suspend = nil }))
	requested := pod.DeletionTimestamp.Add(-time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second)
	endsAs(t, pod, fmt.Sprintf(`{"exitCode":4,"reason":"Error","finishedAt":%q}`, requested.Add(-10*time.Second).UTC().Format(time.RFC3339)))
	je := captured(t, ns, "ExitCode:4")[0]
	if je.Status.Job == nil || je.Status.Job.UID != job.UID || je.Status.Job.UID == later.UID {
		t.Errorf("it is linked to %+v, want %s", je.Status.Job, job.UID)
	}
	cluster.JobIs(t, ns, "job", batchv1.JobComplete)
	harness.Create(t, cluster.Client, harness.Job(ns, "other", harness.Failing("3")))
	for _, je := range captured(t, ns, "BackoffLimitExceeded", "ExitCode:3", "ExitCode:4") {
		if je.Spec.Resolved {
			t.Errorf("%s is resolved: %s", je.Spec.Code, message(je))
		}
	}
	if err := cluster.Client.Patch(t.Context(), pod, harness.MergePatch(`{"metadata":{"finalizers":null}}`)); err != nil {
		t.Fatal(err)
	}
}

func TestAPodThatIsRemovedInTheMomentThatItFailsIsCaptured(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	const jobs = 20
	for i := range jobs {
		harness.Create(t, cluster.Client, harness.Job(ns, fmt.Sprintf("job-%02d", i), harness.Playing(running)))
	}
	for i := range jobs {
		pod := runs(t, ns, fmt.Sprintf("job-%02d", i))
		ends(t, pod, i+1)
		patch := harness.MergePatch(`{"metadata":{"finalizers":null}}`)
		if err := cluster.Client.Patch(t.Context(), pod, patch); err != nil {
			t.Fatal(err)
		}
		if err := cluster.Client.Delete(t.Context(), pod, client.GracePeriodSeconds(0)); client.IgnoreNotFound(err) != nil {
			t.Fatal(err)
		}
	}
	// The Job controller may have missed it, and tries again.
	harness.Eventually(t, func() string {
		got := harness.Named(cluster.Errors(t, ns), harness.Code)
		for i := range jobs {
			if code := fmt.Sprintf("ExitCode:%d", i+1); !slices.Contains(got, code) {
				return code + " is not captured"
			}
		}
		return ""
	})
}

func TestAJobThatIsSuspendedHasNotFailed(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(running)))
	pod := runs(t, ns, "job")
	if err := cluster.Client.Patch(t.Context(), pod, harness.MergePatch(`{"metadata":{"finalizers":["example.com/hold"]}}`)); err != nil {
		t.Fatal(err)
	}
	if err := cluster.Client.Patch(t.Context(), job, harness.MergePatch(`{"spec":{"suspend":true}}`)); err != nil {
		t.Fatal(err)
	}
	pod = podOf(t, ns, "job", func(pod *corev1.Pod) bool { return pod.DeletionTimestamp != nil })
	endsAs(t, pod, fmt.Sprintf(`{"exitCode":143,"reason":"Error","finishedAt":%q}`, pod.DeletionTimestamp.UTC().Format(time.RFC3339)))
	if err := cluster.Client.Patch(t.Context(), pod, harness.MergePatch(`{"metadata":{"finalizers":null}}`)); err != nil {
		t.Fatal(err)
	}
	cluster.JobIs(t, ns, "job", batchv1.JobSuspended)
	// What fails after it is captured after it.
	harness.Create(t, cluster.Client, harness.Job(ns, "other", harness.Failing("3")))
	captured(t, ns, "BackoffLimitExceeded", "ExitCode:3")
}

func TestAJobThatTakesItsErrorsAlongTakesThoseThatAreCaptured(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	job := harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), harness.Annotated(joberrorv1.AnnotationDeletionPolicy, "Cascade")))
	captured(t, ns, "BackoffLimitExceeded", "ExitCode:3")
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	captured(t, ns)
}

// What the pods report takes the place of no failure.
func TestWhatIsOverTheLimitIsCountedTogether(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	const indexes = limit + 15
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), func(job *batchv1.Job) {
		job.Spec.CompletionMode = ptr.To(batchv1.IndexedCompletion)
		job.Spec.Completions, job.Spec.Parallelism = ptr.To[int32](indexes), ptr.To[int32](indexes)
		job.Spec.BackoffLimit, job.Spec.BackoffLimitPerIndex = nil, ptr.To[int32](0)
		job.Spec.Template.Annotations["dev.joberror.io/message"] = `[{"code":"row","message":"1"},{"code":"row","message":"2"}]`
	}))
	want := []string{"CaptureLimitExceeded", "FailedIndexes", "row", "row"}
	for range limit {
		want = append(want, "ExitCode:3")
	}
	captured(t, ns, want...)
	harness.Eventually(t, func() string {
		for _, je := range cluster.Errors(t, ns) {
			if je.Labels[joberrorv1.LabelCaptured] == joberrorv1.CapturedOverflow && je.Status.Occurrences == indexes-limit {
				return ""
			}
		}
		return "what is over the limit is not counted yet"
	})
	captured(t, ns, want...)
}

// A createdAt that is ahead of the operator's clock is refused.
func TestAFailureOnANodeWhoseClockIsAheadIsCaptured(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(running)))
	endsAs(t, runs(t, ns, "job"), fmt.Sprintf(`{"exitCode":4,"reason":"Error","finishedAt":%q}`, time.Now().UTC().Add(time.Hour).Format(time.RFC3339)))
	for _, je := range captured(t, ns, "BackoffLimitExceeded", "ExitCode:4") {
		if at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt); err != nil || at.After(time.Now()) {
			t.Errorf("%s happened at %s, %v", je.Spec.Code, je.Spec.CreatedAt, err)
		}
	}
}

func TestWhatIsReportedNowOfLongAgoIsRecordedNow(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", func(job *batchv1.Job) {
		metav1.SetMetaDataAnnotation(&job.Spec.Template.ObjectMeta, "dev.joberror.io/message", `{"code":"row","message":"row 1","createdAt":"2020-01-01T00:00:00Z"}`)
		job.Spec.Suspend = nil
	}))
	je := captured(t, ns, "row")[0]
	if at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt); err != nil || time.Since(at) > time.Hour {
		t.Errorf("it happened at %s, %v", je.Spec.CreatedAt, err)
	}
}

// The pod garbage collector gives another reason than the taint did that deleted
// the pod before.
func TestAPodThatIsTakenForAnotherReasonLaterIsOneFailure(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(running), retried))
	pod := runs(t, ns, "job")
	disrupted := func(reason string) {
		patch := harness.MergePatch(fmt.Sprintf(`{"status":{"conditions":[{"type":"DisruptionTarget","status":"True","reason":%q}]}}`, reason))
		if err := cluster.Client.Status().Patch(t.Context(), pod, patch); err != nil {
			t.Fatal(err)
		}
	}
	disrupted("DeletionByTaintManager")
	captured(t, ns, "DeletionByTaintManager")
	disrupted("DeletionByPodGC")
	// What fails after it is captured after it.
	harness.Create(t, cluster.Client, harness.Job(ns, "other", harness.Failing("3")))
	captured(t, ns, "BackoffLimitExceeded", "DeletionByTaintManager", "ExitCode:3")
}

// The Job controller labels no pods of such a Job.
func TestAJobWithASelectorOfItsOwnIsCaptured(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), func(job *batchv1.Job) {
		job.Spec.ManualSelector = ptr.To(true)
		job.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"run": "by-hand"}}
		job.Spec.Template.Labels = map[string]string{"run": "by-hand"}
	}))
	captured(t, ns, "BackoffLimitExceeded", "ExitCode:3")
}

func TestAnOptOutThatIsTakenBackIsHonored(t *testing.T) {
	t.Parallel()
	optOut := map[string]func(ns string) []string{
		"of the Job":       func(ns string) []string { return []string{"job", "job", "-n", ns} },
		"of its namespace": func(ns string) []string { return []string{"namespace", ns} },
	}
	for name, object := range optOut {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			harness.Create(t, cluster.Client, harness.Job(ns, "job", func(job *batchv1.Job) { job.Spec.BackoffLimit = ptr.To[int32](0) }))
			annotate := func(value string) {
				cluster.Kubectl(t, append([]string{"annotate", "--overwrite"}, append(object(ns), "joberror.io/capture"+value)...)...)
			}
			annotate("=false")
			// The operator sees what comes later, later.
			cluster.Kubectl(t, "patch", "job", "job", "-n", ns, "--type=merge", "-p",
				`{"spec":{"suspend":false,"template":{"metadata":{"annotations":{"dev.joberror.io/exit-code":"3"}}}}}`)
			cluster.JobIs(t, ns, "job", batchv1.JobFailed)
			if got := cluster.Errors(t, ns); len(got) > 0 {
				t.Errorf("captured are %v", harness.Named(got, harness.Code))
			}
			annotate("-")
			captured(t, ns, "BackoffLimitExceeded", "ExitCode:3")
		})
	}
}

// A pod that could not run and is deleted before the grace period is over; see the
// operator's flags for how long that is. What had only begun to wait when the Job was
// suspended is no failure.
func TestWhatAPodWaitedForWhenItWasDeletedIsRecorded(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", retried, harness.Playing("phase: Pending\nconditions:\n- {type: PodScheduled, status: 'False', reason: Unschedulable, message: no node}")))
	podOf(t, ns, "job", func(pod *corev1.Pod) bool { return len(pod.Status.Conditions) > 0 })
	cluster.Kubectl(t, "delete", "job", "job", "-n", ns)
	captured(t, ns, "Unschedulable")
}

// An eviction after a wait for a node: ordinary on nodes that come and go.
func TestAPodThatWaitedForANodeAndWasEvictedIsTwoFailures(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing("phase: Pending\nconditions:\n- {type: PodScheduled, status: 'False', reason: Unschedulable, message: no node}")))
	captured(t, ns, "Unschedulable")
	pod := podOf(t, ns, "job", func(pod *corev1.Pod) bool { return true })
	patch := harness.MergePatch(`{"status":{"phase":"Failed","reason":"Evicted","message":"The node was low on resource: memory.","conditions":[{"type":"PodScheduled","status":"True"}]}}`)
	if err := cluster.Client.Status().Patch(t.Context(), pod, patch); err != nil {
		t.Fatal(err)
	}
	captured(t, ns, "BackoffLimitExceeded", "Evicted", "Unschedulable")
}

func TestWhatThePolicyOfTheJobIgnoresIsNotRecorded(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Playing(running), func(job *batchv1.Job) {
		job.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{
			Action:      batchv1.PodFailurePolicyActionIgnore,
			OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: []int32{42}},
		}}}
	}))
	pod := runs(t, ns, "job")
	ends(t, pod, 42)
	// The Job goes on with another pod.
	next := podOf(t, ns, "job", func(p *corev1.Pod) bool { return p.UID != pod.UID && p.Status.Phase == corev1.PodRunning })
	ends(t, next, 3)
	captured(t, ns, "BackoffLimitExceeded", "ExitCode:3")
}

// The Job may be gone before the error has its first status.
func TestTheRetentionOfAJobOutlivesIt(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3"), harness.Annotated(joberrorv1.AnnotationRetention, "7d"), func(job *batchv1.Job) {
		job.Spec.TTLSecondsAfterFinished = ptr.To[int32](0)
	}))
	for _, je := range captured(t, ns, "BackoffLimitExceeded", "ExitCode:3") {
		at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt)
		if err != nil || je.Status.ExpiresAt == nil || !je.Status.ExpiresAt.Time.Equal(at.AddDate(0, 0, 7)) || je.Status.Job == nil || je.Status.Job.Retention != "7d" {
			t.Errorf("%s of %s expires at %v; its Job is %+v, %v", je.Spec.Code, je.Spec.CreatedAt, je.Status.ExpiresAt, je.Status.Job, err)
		}
	}
}
