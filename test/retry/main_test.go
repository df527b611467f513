// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package retry tests that failed Jobs run again, once, for whoever may create Jobs, and that
// the success of a retry resolves what it fixed.
package retry

import (
	"fmt"
	"net/http"
	"os"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// maxRetries limits the retries of one Job.
const maxRetries = 3

var cluster = harness.Cluster{FastControllers: true, Flags: []string{"--capture-grace=1s", fmt.Sprintf("--max-retries=%d", maxRetries)}}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }

// running makes a Job run, and leaves it to the test when and how its pods end.
var running = harness.WithPodStatus("phase: Running\n")

// endPods ends the pods of a Job that still run, each with the phase for its index, or index 0.
func endPods(t *testing.T, ns, job string, pods int, phase func(index string) corev1.PodPhase) {
	t.Helper()
	ended := map[string]bool{}
	harness.Eventually(t, func() string {
		for i, list := 0, podsOf(t, ns, job); i < len(list); i++ {
			pod := &list[i]
			if pod.Status.Phase != corev1.PodRunning {
				continue
			}
			pod.Status.Phase = phase(pod.Annotations[batchv1.JobCompletionIndexAnnotation])
			code := int32(0)
			if pod.Status.Phase == corev1.PodFailed {
				code = 3
			}
			now := metav1.Now()
			pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "main", Image: "busybox", State: corev1.ContainerState{
				Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: "Done", StartedAt: now, FinishedAt: now},
			}}}
			if err := cluster.Client.Status().Update(t.Context(), pod); err != nil {
				return err.Error()
			}
			ended[pod.Name] = true
		}
		if len(ended) < pods {
			return fmt.Sprintf("%d of %d pods of Job %s have ended", len(ended), pods, job)
		}
		return ""
	})
}

func fails(string) corev1.PodPhase    { return corev1.PodFailed }
func succeeds(string) corev1.PodPhase { return corev1.PodSucceeded }

func podsOf(t *testing.T, ns, job string) []corev1.Pod {
	t.Helper()
	var pods corev1.PodList
	if err := cluster.Client.List(t.Context(), &pods, client.InNamespace(ns), client.MatchingLabels{batchv1.JobNameLabel: job}); err != nil {
		t.Fatal(err)
	}
	return pods.Items
}

// deleteJob deletes a Job, and with it its pods.
func deleteJob(t *testing.T, job *batchv1.Job) {
	t.Helper()
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
}

// errorsOfFailure is how many errors a Job with one failed pod has: its exit code, and that the
// Job has failed.
const errorsOfFailure = 2

// failedJob creates a Job and waits until it has failed and its errors are recorded.
func failedJob(t *testing.T, ns, name string, options ...func(*batchv1.Job)) *batchv1.Job {
	t.Helper()
	job := harness.Create(t, cluster.Client, harness.Job(ns, name, append([]func(*batchv1.Job){running}, options...)...))
	endPods(t, ns, name, 1, fails)
	cluster.WaitJobCondition(t, ns, name, batchv1.JobFailed)
	awaitErrors(t, ns, name)
	return harness.Get(t, cluster.Client, ns, job.Name, &batchv1.Job{})
}

// awaitErrors waits until the operator has observed all errors of a Job that has failed, and
// returns them.
func awaitErrors(t *testing.T, ns, job string) []joberrorv1.JobError {
	t.Helper()
	var found []joberrorv1.JobError
	harness.Eventually(t, func() string {
		found = nil
		for _, je := range cluster.Errors(t, ns) {
			if je.Spec.JobID == job && je.Labels[joberrorv1.LabelCaptured] != "" && je.Status.ObservedGeneration == je.Generation {
				found = append(found, je)
			}
		}
		if len(found) != errorsOfFailure {
			return fmt.Sprintf("Job %s has %d observed errors", job, len(found))
		}
		return ""
	})
	return found
}

// areResolved reports whether all errors of a Job are resolved, and fails the test if only some
// are.
func areResolved(t *testing.T, ns, job string) bool {
	t.Helper()
	errs := awaitErrors(t, ns, job)
	for i := range errs {
		if errs[i].Spec.Resolved != errs[0].Spec.Resolved {
			t.Errorf("only some errors of %s are resolved: %+v", job, errs)
		}
	}
	return errs[0].Spec.Resolved
}

// retryOf returns a request to run a Job again.
func retryOf(ns, name, job string, options ...func(*joberrorv1.JobErrorRetrySpec)) *joberrorv1.JobErrorRetry {
	jet := &joberrorv1.JobErrorRetry{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name}, Spec: joberrorv1.JobErrorRetrySpec{JobID: job}}
	for _, option := range options {
		option(&jet.Spec)
	}
	return jet
}

// awaitRetry waits until a retry matches, and returns it.
func awaitRetry(t *testing.T, ns, name string, matches func(*joberrorv1.JobErrorRetry) bool) *joberrorv1.JobErrorRetry {
	t.Helper()
	jet := &joberrorv1.JobErrorRetry{}
	harness.Eventually(t, func() string {
		jet = harness.Get(t, cluster.Client, ns, name, &joberrorv1.JobErrorRetry{})
		if !matches(jet) {
			return fmt.Sprintf("the status of retry %s does not match: %+v", name, jet.Status)
		}
		return ""
	})
	return jet
}

func hasStarted(jet *joberrorv1.JobErrorRetry) bool { return jet.Status.StartedAt != nil }

func isComplete(jet *joberrorv1.JobErrorRetry) bool {
	return meta.IsStatusConditionTrue(jet.Status.Conditions, joberrorv1.ConditionComplete)
}

// outcome returns the status and the message of the condition Succeeded.
func outcome(jet *joberrorv1.JobErrorRetry) (status metav1.ConditionStatus, reason, message string) {
	c := meta.FindStatusCondition(jet.Status.Conditions, joberrorv1.ConditionSucceeded)
	if c == nil {
		return "", "", ""
	}
	return c.Status, c.Reason, c.Message
}

// retryPath returns the path that retries a Job.
func retryPath(ns, job string) string {
	return "/apis/resolve.joberror.io/v1/namespaces/" + ns + "/jobs/" + job + "/retry"
}

// editor returns a user who may edit a namespace.
func editor(t *testing.T, ns, name string) *rest.Config {
	t.Helper()
	cluster.Grant(t, ns, name, "edit")
	return cluster.User(t, name)
}

// post retries a Job as a user.
func post(t *testing.T, user *rest.Config, ns, job, body string) harness.Response {
	t.Helper()
	return harness.Do(t, user, http.MethodPost, retryPath(ns, job), body)
}

// jobsIn returns the names of the Jobs in a namespace.
func jobsIn(t *testing.T, ns string) []string {
	t.Helper()
	var list batchv1.JobList
	if err := cluster.Client.List(t.Context(), &list, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, job := range list.Items {
		names = append(names, job.Name)
	}
	return names
}
