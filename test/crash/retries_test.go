// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package crash

import (
	"context"
	"fmt"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// maxPause limits the time between two kills while retries are carried out.
const maxPause = 2 * time.Second

// indexesPerJob is how many indexes each second Job runs; only failingIndex fails.
const (
	indexesPerJob = 3
	failingIndex  = "1"
	// otherIndexes are those that succeed.
	otherIndexes = "0,2"
)

// Each retry makes exactly one Job, and that runs only the indexes that have not succeeded,
// however often the operator, the API server or the Job controller is killed.
func TestRetriesSurviveKills(t *testing.T) {
	operator := start(t)
	t.Cleanup(func() { operator.Kill() })
	ns := cluster.Namespace(t)
	cluster.GrantRetryIndexes(t, ns)
	for i := range *retryCount {
		kind := []func(*batchv1.Job){harness.Failing("3")}
		if i%2 == 1 {
			kind = []func(*batchv1.Job){harness.Indexed(indexesPerJob), harness.FailingOnlyAt(failingIndex)}
		}
		harness.Create(t, cluster.Client, harness.Job(ns, fmt.Sprintf("job-%d", i), kind...))
	}
	awaitFailed(t, ns)
	requested := make(chan error, 1)
	go func() { requested <- requestRetries(t.Context(), ns) }()
	kills := 0
	for len(incomplete(t, ns)) > 0 {
		time.Sleep(time.Duration(random.Int64N(int64(maxPause))))
		if kills++; random.IntN(3) == 0 {
			part := []string{"kube-apiserver", "kube-controller-manager"}[random.IntN(2)]
			cluster.Process(part).Kill()
			if err := cluster.Restart(t.Context(), part); err != nil {
				t.Fatal(err)
			}
			continue
		}
		operator.Kill()
		operator = launch(t, "operator", cluster.Ports)
		if random.IntN(2) == 0 {
			waitReady(t, operator)
		}
		if kills > *retryCount {
			// Let the rest complete: the test also ends on a slow machine.
			harness.EventuallyWithin(t, roundTimeout, func() string {
				if left := incomplete(t, ns); len(left) > 0 {
					return fmt.Sprintf("incomplete: %v", left)
				}
				return ""
			})
		}
	}
	if err := <-requested; err != nil {
		t.Fatal(err)
	}
	t.Logf("%d retries, %d kills", *retryCount, kills)
	verifyRetries(t, ns)
}

// awaitFailed waits until all Jobs in a namespace have failed.
func awaitFailed(t *testing.T, ns string) {
	t.Helper()
	harness.EventuallyWithin(t, roundTimeout, func() string {
		var jobs batchv1.JobList
		if err := cluster.Client.List(t.Context(), &jobs, client.InNamespace(ns)); err != nil {
			return err.Error()
		}
		for i := range jobs.Items {
			if !hasFailed(&jobs.Items[i]) {
				return jobs.Items[i].Name + " has not failed"
			}
		}
		return ""
	})
}

func hasFailed(job *batchv1.Job) bool {
	for _, c := range job.Status.Conditions {
		if c.Type == batchv1.JobFailed && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}

// requestRetries requests a retry of each Job, again until the API server has it.
func requestRetries(ctx context.Context, ns string) error {
	for i := range *retryCount {
		for {
			err := cluster.Client.Create(ctx, &joberrorv1.JobErrorRetry{
				ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: fmt.Sprintf("retry-%d", i)},
				Spec:       joberrorv1.JobErrorRetrySpec{JobID: fmt.Sprintf("job-%d", i)},
			})
			if err == nil || apierrors.IsAlreadyExists(err) {
				break
			}
			select {
			case <-ctx.Done():
				return err
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

// incomplete returns the names of the retries that are not complete, and of those that do not
// exist yet.
func incomplete(t *testing.T, ns string) []string {
	t.Helper()
	var retries joberrorv1.JobErrorRetryList
	complete := map[string]bool{}
	// While the API server is down, nothing is known to be complete.
	if err := cluster.Client.List(t.Context(), &retries, client.InNamespace(ns)); err == nil {
		for _, jet := range retries.Items {
			complete[jet.Name] = meta.IsStatusConditionTrue(jet.Status.Conditions, joberrorv1.ConditionComplete)
		}
	}
	var names []string
	for i := range *retryCount {
		if name := fmt.Sprintf("retry-%d", i); !complete[name] {
			names = append(names, name)
		}
	}
	return names
}

// verifyRetries checks that each retry has exactly one Job, which ran what had failed, and
// failed.
func verifyRetries(t *testing.T, ns string) {
	t.Helper()
	var jobs batchv1.JobList
	if err := cluster.Client.List(t.Context(), &jobs, client.InNamespace(ns), client.HasLabels{joberrorv1.LabelLineage}); err != nil {
		t.Fatal(err)
	}
	ofRequest := map[string]int{}
	for i := range jobs.Items {
		ofRequest[jobs.Items[i].Annotations[joberrorv1.AnnotationRetry]]++
		if !hasFailed(&jobs.Items[i]) {
			t.Errorf("Job %s has not run", jobs.Items[i].Name)
		}
		verifyIndexes(t, &jobs.Items[i])
	}
	var retries joberrorv1.JobErrorRetryList
	if err := cluster.Client.List(t.Context(), &retries, client.InNamespace(ns)); err != nil {
		t.Fatal(err)
	}
	for i := range retries.Items {
		jet := &retries.Items[i]
		reason := harness.Reason(jet.Status.Conditions, joberrorv1.ConditionSucceeded)
		if ofRequest[string(jet.UID)] != 1 || reason != joberrorv1.ReasonRetryFailed || jet.Status.Attempt != 1 {
			t.Errorf("%s: %d Jobs, attempt %d, reason %s, want one Job that failed", jet.Name, ofRequest[string(jet.UID)], jet.Status.Attempt, reason)
		}
	}
	if len(jobs.Items) != *retryCount || len(retries.Items) != *retryCount {
		t.Errorf("%d Jobs of %d retries, want %d", len(jobs.Items), len(retries.Items), *retryCount)
	}
}

// verifyIndexes checks that the retry of an Indexed Job has run only the index that failed.
func verifyIndexes(t *testing.T, job *batchv1.Job) {
	t.Helper()
	if ptr.Deref(job.Spec.CompletionMode, "") != batchv1.IndexedCompletion {
		return
	}
	var pods corev1.PodList
	if err := cluster.Client.List(t.Context(), &pods, client.InNamespace(job.Namespace), client.MatchingLabels{batchv1.JobNameLabel: job.Name}); err != nil {
		t.Fatal(err)
	}
	for i := range pods.Items {
		if index := pods.Items[i].Annotations[batchv1.JobCompletionIndexAnnotation]; index != failingIndex {
			t.Errorf("Job %s has run index %s again", job.Name, index)
		}
	}
	if job.Status.CompletedIndexes != otherIndexes || ptr.Deref(job.Status.FailedIndexes, "") != failingIndex {
		t.Errorf("status of Job %s = %+v, want that only index %s failed", job.Name, job.Status, failingIndex)
	}
}
