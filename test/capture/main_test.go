// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package capture pins down what is recorded of Jobs that fail, from a real Job
// object to the JobError, and when that is resolved by itself.
package capture

import (
	"fmt"
	"os"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// limit is how many failures of a Job are recorded one by one.
const limit = 20

var cluster = harness.Cluster{Hurry: true, Flags: []string{"--capture-grace=1s", fmt.Sprintf("--capture-limit=%d", limit)}}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }

// captured waits until a namespace has errors with these codes and no others.
func captured(t *testing.T, ns string, want ...string) []joberrorv1.JobError {
	t.Helper()
	return cluster.Holds(t, ns, harness.Code, want...)
}

// resolvedFor waits until the error with a code has this reason, and returns it.
func resolvedFor(t *testing.T, ns, code, reason string) joberrorv1.JobError {
	t.Helper()
	var found joberrorv1.JobError
	harness.Eventually(t, func() string {
		for _, je := range cluster.Errors(t, ns) {
			if je.Spec.Code == code {
				found = je
			}
		}
		if got := harness.Reason(found.Status.Conditions, joberrorv1.ConditionResolved); got != reason || found.Status.ObservedGeneration != found.Generation {
			return fmt.Sprintf("%s is %q, want %q", code, got, reason)
		}
		return ""
	})
	return found
}

// message is what the condition Resolved says.
func message(je joberrorv1.JobError) string {
	return meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved).Message
}

// podOf waits for a pod of a Job of which something holds, and returns it.
func podOf(t *testing.T, ns, job string, holds func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	var found *corev1.Pod
	harness.Eventually(t, func() string {
		var pods corev1.PodList
		if err := cluster.Client.List(t.Context(), &pods, client.InNamespace(ns), client.MatchingLabels{batchv1.JobNameLabel: job}); err != nil {
			return err.Error()
		}
		for i := range pods.Items {
			if holds(&pods.Items[i]) {
				found = &pods.Items[i]
				return ""
			}
		}
		return job + " has no such pod"
	})
	return found
}

func waits(pod *corev1.Pod) bool {
	return len(pod.Status.ContainerStatuses) > 0 && pod.Status.ContainerStatuses[0].State.Waiting != nil
}
