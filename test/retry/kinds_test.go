// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"encoding/json"
	"net/http"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"joberror.io/operator/test/harness"
)

// indexedWithoutRetries makes a Job run two indexes, and fail with the first pod that fails.
func indexedWithoutRetries(job *batchv1.Job) {
	job.Spec.CompletionMode = ptr.To(batchv1.IndexedCompletion)
	job.Spec.Completions, job.Spec.Parallelism = ptr.To[int32](2), ptr.To[int32](2)
}

// The API server accepts the retry of each kind of Job, with what makes it that kind.
func TestEachKindOfJobCanBeRetried(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]func(*batchv1.Job){
		"Indexed": indexedWithoutRetries,
		"successPolicy": func(job *batchv1.Job) {
			indexedWithoutRetries(job)
			job.Spec.SuccessPolicy = &batchv1.SuccessPolicy{Rules: []batchv1.SuccessPolicyRule{{SucceededIndexes: ptr.To("0")}}}
		},
		"podFailurePolicy": func(job *batchv1.Job) {
			job.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{
				Action:      batchv1.PodFailurePolicyActionFailJob,
				OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: []int32{3}},
			}}}
		},
		"suspended and resumed": func(job *batchv1.Job) { job.Spec.Suspend = ptr.To(false) },
		"managedBy":             func(job *batchv1.Job) { job.Spec.ManagedBy = ptr.To("example.com/controller") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			job := harness.Create(t, cluster.Client, harness.Job(ns, "import", running, kind))
			if job.Spec.ManagedBy == nil {
				endPods(t, ns, "import", 1, fails)
			} else {
				failManaged(t, job)
			}
			cluster.WaitJobCondition(t, ns, "import", batchv1.JobFailed)
			response := harness.Do(t, cluster.Config(), http.MethodPost, retryPath(ns, "import")+"?dryRun=All", "").Want(t, 201)
			retried := &batchv1.Job{}
			if err := json.Unmarshal(response.Body, retried); err != nil {
				t.Fatal(err)
			}
			// What the retry changes.
			want := job.Spec.DeepCopy()
			want.Selector, want.Suspend, want.Template = retried.Spec.Selector, retried.Spec.Suspend, retried.Spec.Template
			if !equality.Semantic.DeepEqual(&retried.Spec, want) || !*retried.Spec.Suspend {
				t.Errorf("spec of the retry = %+v, want that of the Job, held", retried.Spec)
			}
		})
	}
}

// failManaged fails a Job that Kubernetes' Job controller leaves to another one.
func failManaged(t *testing.T, job *batchv1.Job) {
	t.Helper()
	now := metav1.Now()
	condition := func(kind batchv1.JobConditionType) batchv1.JobCondition {
		return batchv1.JobCondition{Type: kind, Status: corev1.ConditionTrue, Reason: "Managed", LastTransitionTime: now}
	}
	job = job.DeepCopy()
	job.Status.StartTime = &now
	job.Status.Conditions = []batchv1.JobCondition{condition(batchv1.JobFailureTarget), condition(batchv1.JobFailed)}
	if err := cluster.Client.Status().Update(t.Context(), job); err != nil {
		t.Fatal(err)
	}
}
