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
	codes := func(action batchv1.PodFailurePolicyAction, container *string, op batchv1.PodFailurePolicyOnExitCodesOperator, values ...int32) batchv1.PodFailurePolicyRule {
		return batchv1.PodFailurePolicyRule{Action: action, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{ContainerName: container, Operator: op, Values: values}}
	}
	disrupted := batchv1.PodFailurePolicyRule{Action: batchv1.PodFailurePolicyActionIgnore,
		OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}}}
	const ignore, fail, count = batchv1.PodFailurePolicyActionIgnore, batchv1.PodFailurePolicyActionFailJob, batchv1.PodFailurePolicyActionCount
	const in, notIn = batchv1.PodFailurePolicyOnExitCodesOpIn, batchv1.PodFailurePolicyOnExitCodesOpNotIn
	three := newPod(terminated("main", exit(3, "Error", "", start)))
	evicted := newPod(withCondition(corev1.DisruptionTarget, corev1.ConditionTrue, "EvictionByEvictionAPI", "x"))
	for name, tc := range map[string]struct {
		pod   *corev1.Pod
		rules []batchv1.PodFailurePolicyRule
		want  bool
	}{
		"no rule":                          {three, nil, false},
		"its exit code":                    {three, []batchv1.PodFailurePolicyRule{codes(ignore, nil, in, 1, 3)}, true},
		"another exit code":                {three, []batchv1.PodFailurePolicyRule{codes(ignore, nil, in, 1, 2)}, false},
		"any but others":                   {three, []batchv1.PodFailurePolicyRule{codes(ignore, nil, notIn, 1, 2)}, true},
		"another container":                {three, []batchv1.PodFailurePolicyRule{codes(ignore, ptr.To("other"), in, 3)}, false},
		"the first rule that matches":      {three, []batchv1.PodFailurePolicyRule{codes(fail, nil, in, 3), codes(ignore, nil, in, 3)}, false},
		"a rule that counts":               {three, []batchv1.PodFailurePolicyRule{codes(count, nil, in, 3)}, false},
		"a disruption":                     {evicted, []batchv1.PodFailurePolicyRule{codes(fail, nil, in, 3), disrupted}, true},
		"a disruption that did not happen": {three, []batchv1.PodFailurePolicyRule{disrupted}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy := &batchv1.PodFailurePolicy{Rules: tc.rules}
			for _, f := range FromPod(tc.pod) {
				if got := Ignores(policy, f); got != tc.want {
					t.Errorf("got %v, want %v", got, tc.want)
				}
			}
		})
	}
	if f := (Failure{Key: JobKey("BackoffLimitExceeded")}); Ignores(&batchv1.PodFailurePolicy{}, f) || Ignores(nil, f) {
		t.Error("a failure of the Job itself is ignored")
	}
}
