// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package capture tests which JobErrors the operator records for real Jobs that fail,
// and when it resolves them automatically.
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

// captureLimit limits how many failures of a Job get their own JobError.
const captureLimit = 20

var cluster = harness.Cluster{FastControllers: true, Flags: []string{"--capture-grace=1s", "--allow-cascade", fmt.Sprintf("--capture-limit=%d", captureLimit)}}

func TestMain(m *testing.M) { os.Exit(harness.Main(m, &cluster)) }

// awaitErrors waits until a namespace holds exactly the errors with these codes, and
// returns them.
func awaitErrors(t *testing.T, ns string, want ...string) []joberrorv1.JobError {
	t.Helper()
	return cluster.WaitErrors(t, ns, harness.Code, want...)
}

// awaitReason waits until the condition Resolved of the error with a code has a reason,
// and returns the error.
func awaitReason(t *testing.T, ns, code, reason string) joberrorv1.JobError {
	t.Helper()
	var found joberrorv1.JobError
	harness.Eventually(t, func() string {
		for _, je := range cluster.Errors(t, ns) {
			if je.Spec.Code == code {
				found = je
			}
		}
		if got := harness.Reason(found.Status.Conditions, joberrorv1.ConditionResolved); got != reason || found.Status.ObservedGeneration != found.Generation {
			return fmt.Sprintf("reason of %s = %q, want %q", code, got, reason)
		}
		return ""
	})
	return found
}

// resolvedMessage returns the message of the condition Resolved.
func resolvedMessage(je joberrorv1.JobError) string {
	return meta.FindStatusCondition(je.Status.Conditions, joberrorv1.ConditionResolved).Message
}

// awaitPod waits for a pod of a Job that matches, and returns it.
func awaitPod(t *testing.T, ns, job string, matches func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	var found *corev1.Pod
	harness.Eventually(t, func() string {
		var pods corev1.PodList
		if err := cluster.Client.List(t.Context(), &pods, client.InNamespace(ns), client.MatchingLabels{batchv1.JobNameLabel: job}); err != nil {
			return err.Error()
		}
		for i := range pods.Items {
			if matches(&pods.Items[i]) {
				found = &pods.Items[i]
				return ""
			}
		}
		return job + " has no matching pod"
	})
	return found
}

// isWaiting matches a pod whose first container waits.
func isWaiting(pod *corev1.Pod) bool {
	return len(pod.Status.ContainerStatuses) > 0 && pod.Status.ContainerStatuses[0].State.Waiting != nil
}
