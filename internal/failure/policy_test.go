// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"
)

func TestIgnores(t *testing.T) {
	t.Parallel()
	onCodes := func(action batchv1.PodFailurePolicyAction, containerName *string, op batchv1.PodFailurePolicyOnExitCodesOperator, values ...int32) batchv1.PodFailurePolicyRule {
		return batchv1.PodFailurePolicyRule{Action: action, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{ContainerName: containerName, Operator: op, Values: values}}
	}
	onDisruption := batchv1.PodFailurePolicyRule{Action: batchv1.PodFailurePolicyActionIgnore,
		OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}}}
	const ignore, fail, count = batchv1.PodFailurePolicyActionIgnore, batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyActionCount
	const in, notIn = batchv1.PodFailurePolicyOnExitCodesOpIn, batchv1.PodFailurePolicyOnExitCodesOpNotIn
	exited3 := newPod(terminated("main", exit(3, "Error", "", start)))
	evicted := newPod(withCondition(corev1.DisruptionTarget, corev1.ConditionTrue, "EvictionByEvictionAPI", "x"))
	for name, tc := range map[string]struct {
		pod   *corev1.Pod
		rules []batchv1.PodFailurePolicyRule
		want  bool
	}{
		"no rule":                         {exited3, nil, false},
		"listed exit code":                {exited3, []batchv1.PodFailurePolicyRule{onCodes(ignore, nil, in, 1, 3)}, true},
		"exit code not listed":            {exited3, []batchv1.PodFailurePolicyRule{onCodes(ignore, nil, in, 1, 2)}, false},
		"NotIn without the exit code":     {exited3, []batchv1.PodFailurePolicyRule{onCodes(ignore, nil, notIn, 1, 2)}, true},
		"exit code of another container":  {exited3, []batchv1.PodFailurePolicyRule{onCodes(ignore, ptr.To("other"), in, 3)}, false},
		"first rule that matches decides": {exited3, []batchv1.PodFailurePolicyRule{onCodes(fail, nil, in, 3), onCodes(ignore, nil, in, 3)}, false},
		"Count rule":                      {exited3, []batchv1.PodFailurePolicyRule{onCodes(count, nil, in, 3)}, false},
		"disruption":                      {evicted, []batchv1.PodFailurePolicyRule{onCodes(fail, nil, in, 3), onDisruption}, true},
		"no disruption":                   {exited3, []batchv1.PodFailurePolicyRule{onDisruption}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := &batchv1.PodFailurePolicy{Rules: tc.rules}
			for _, f := range FromPod(tc.pod) {
				if got := Ignores(policy, f); got != tc.want {
					t.Errorf("Ignores = %t, want %t", got, tc.want)
				}
			}
		})
	}
	if f := (Failure{Key: JobKey("BackoffLimitExceeded")}); Ignores(&batchv1.PodFailurePolicy{}, f) || Ignores(nil, f) {
		t.Error("Ignores = true for a failure of the Job as a whole, want false")
	}
}
