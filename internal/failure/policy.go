// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// PodFacts holds the facts about a pod that a podFailurePolicy looks at: the exit codes of
// its failed containers, and its conditions. All failures of one pod share it.
type PodFacts struct {
	exits      []exitOf
	conditions []corev1.PodCondition
}

// exitOf holds the exit code of a container that failed.
type exitOf struct {
	container string
	code      int32
}

func factsOf(pod *corev1.Pod) *PodFacts {
	facts := &PodFacts{conditions: pod.Status.Conditions}
	for _, c := range containers(pod) {
		if state := c.status.State.Terminated; state != nil && state.ExitCode != 0 {
			facts.exits = append(facts.exits, exitOf{c.status.Name, state.ExitCode})
		}
	}
	return facts
}

// Ignores reports whether a Job's podFailurePolicy ignores a failure of one of its pods.
// As in the Job controller, the first rule that matches decides.
func Ignores(policy *batchv1.PodFailurePolicy, f Failure) bool {
	if policy == nil || f.Pod == nil {
		return false
	}
	for i := range policy.Rules {
		if rule := &policy.Rules[i]; f.Pod.matches(rule) {
			return rule.Action == batchv1.PodFailurePolicyActionIgnore
		}
	}
	return false
}

func (p *PodFacts) matches(rule *batchv1.PodFailurePolicyRule) bool {
	if rule.OnExitCodes != nil {
		return slices.ContainsFunc(p.exits, func(e exitOf) bool { return e.matches(rule.OnExitCodes) })
	}
	return slices.ContainsFunc(p.conditions, func(c corev1.PodCondition) bool {
		return slices.ContainsFunc(rule.OnPodConditions, func(pattern batchv1.PodFailurePolicyOnPodConditionsPattern) bool {
			return c.Type == pattern.Type && c.Status == pattern.Status
		})
	})
}

func (e exitOf) matches(rule *batchv1.PodFailurePolicyOnExitCodesRequirement) bool {
	if rule.ContainerName != nil && *rule.ContainerName != e.container {
		return false
	}
	return slices.Contains(rule.Values, e.code) == (rule.Operator == batchv1.PodFailurePolicyOnExitCodesOpIn)
}
