// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// failIndexes fails the pods of some indexes, and lets the others succeed.
func failIndexes(indexes ...string) func(string) corev1.PodPhase {
	return func(index string) corev1.PodPhase {
		if slices.Contains(indexes, index) {
			return corev1.PodFailed
		}
		return corev1.PodSucceeded
	}
}

// indexesOf returns the indexes that a Job has pods for, sorted.
func indexesOf(t *testing.T, ns, job string) []string {
	t.Helper()
	var indexes []string
	for _, pod := range podsOf(t, ns, job) {
		indexes = append(indexes, pod.Annotations[batchv1.JobCompletionIndexAnnotation])
	}
	slices.Sort(indexes)
	return indexes
}

// Not parallel: the right to write the status of Jobs is for the whole cluster.
func TestOnlyUnfinishedIndexesRunAgain(t *testing.T) {
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "train", running, harness.Indexed(10)))
	endPods(t, ns, "train", 10, failIndexes("7", "8"))
	cluster.WaitJobCondition(t, ns, "train", batchv1.JobFailed)

	// Without the right, all indexes run, and the answer says so.
	jet := retryIn(t, post(t, cluster.Config(), ns, "train", "").Want(t, 201))
	if jet.Status.CompletedIndexes != "" || !hasMessage(jet, "it runs every index, because the operator has no right to patch jobs/status") {
		t.Errorf("status = %+v, want that every index runs, and why", jet.Status)
	}
	endPods(t, ns, "train-r1", 10, failIndexes("3", "7", "8"))
	awaitRetry(t, ns, jet.Name, isComplete)

	cluster.GrantRetryIndexes(t, ns)
	jet = retryIn(t, post(t, cluster.Config(), ns, "train", "").Want(t, 201))
	if jet.Status.CompletedIndexes != "0-6,9" {
		t.Errorf("completed indexes = %q, want those that have succeeded in the Job or its retry", jet.Status.CompletedIndexes)
	}
	endPods(t, ns, "train-r2", 2, failIndexes("8"))
	awaitRetry(t, ns, jet.Name, isComplete)
	if got := indexesOf(t, ns, "train-r2"); !slices.Equal(got, []string{"7", "8"}) {
		t.Errorf("indexes of train-r2 = %v, want 7 and 8", got)
	}
	// The Job controller first sees the new Job after the operator has let it run.
	cluster.Process("kube-controller-manager").Kill()
	jet = retryIn(t, post(t, cluster.Config(), ns, "train-r2", "").Want(t, 201))
	awaitRetry(t, ns, jet.Name, hasStarted)
	if err := cluster.Restart(t.Context(), "kube-controller-manager"); err != nil {
		t.Fatal(err)
	}
	endPods(t, ns, "train-r3", 1, succeeds)
	awaitRetry(t, ns, jet.Name, isComplete)
	cluster.WaitJobCondition(t, ns, "train-r3", batchv1.JobComplete)
	if got := indexesOf(t, ns, "train-r3"); !slices.Equal(got, []string{"8"}) {
		t.Errorf("indexes of train-r3 = %v, want 8", got)
	}
	if job := harness.Get(t, cluster.Client, ns, "train-r3", &batchv1.Job{}); job.Status.Succeeded != 10 || job.Status.CompletedIndexes != "0-9" {
		t.Errorf("status = %+v, want all indexes completed", job.Status)
	}
}

// hasMessage reports whether the condition Complete of a retry has a message with a text.
func hasMessage(jet *joberrorv1.JobErrorRetry, text string) bool {
	for _, c := range jet.Status.Conditions {
		if c.Type == joberrorv1.ConditionComplete {
			return strings.HasSuffix(c.Message, text)
		}
	}
	return false
}
