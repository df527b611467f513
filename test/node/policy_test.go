//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"joberror.io/operator/test/harness"
)

// The Job replaces a pod that a rule ignores, and does not count its failure.
func TestDoesNotCaptureFailuresThatThePolicyIgnores(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	r := record(t, ns)
	harness.Create(t, cluster.Client, shellJob(ns, "job", "exit 42", func(job *batchv1.Job) {
		job.Spec.PodFailurePolicy = &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{{
			Action:      batchv1.PodFailurePolicyActionIgnore,
			OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: []int32{42}},
		}}}
	}))
	first := r.await(t, "failed", hasEnded)
	r.await(t, "the next failed one", func(e event) bool { return e.Pod.UID != first.UID && e.Pod.Status.Phase == corev1.PodFailed })
	deleteJob(t, ns, metav1.DeletePropagationBackground)
	harness.Create(t, cluster.Client, shellJob(ns, "last", "exit 9"))
	cluster.WaitErrors(t, ns, harness.Code, "BackoffLimitExceeded", "ExitCode:9")
}
