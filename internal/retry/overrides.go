// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// override applies overrides to the containers of a pod.
func override(pod *corev1.PodSpec, set []joberrorv1.ContainerOverride) {
	for _, o := range set {
		c := containerOf(pod, o.Container)
		if c == nil {
			continue
		}
		if o.Args != nil {
			c.Args = o.Args
		}
		c.Env = mergeEnv(c.Env, o.Env)
		if o.Resources != nil {
			c.Resources.Requests = mergeResources(c.Resources.Requests, o.Resources.Requests)
			c.Resources.Limits = mergeResources(c.Resources.Limits, o.Resources.Limits)
		}
	}
}

// unknownContainers returns the containers in overrides that a pod does not have.
func unknownContainers(pod *corev1.PodSpec, set []joberrorv1.ContainerOverride) []string {
	var unknown []string
	for _, o := range set {
		if containerOf(pod, o.Container) == nil {
			unknown = append(unknown, o.Container)
		}
	}
	return unknown
}

// containerOf returns the container or init container with a name; nil if there is none.
func containerOf(pod *corev1.PodSpec, name string) *corev1.Container {
	for c := range containersOf(pod) {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// mergeEnv returns variables with others in place of those with the same name. New ones come
// last, because a variable may refer only to earlier ones.
func mergeEnv(env, others []corev1.EnvVar) []corev1.EnvVar {
	for _, other := range others {
		i := slices.IndexFunc(env, func(v corev1.EnvVar) bool { return v.Name == other.Name })
		if i < 0 {
			env = append(env, other)
			continue
		}
		env[i] = other
	}
	return env
}

func mergeResources(resources, others corev1.ResourceList) corev1.ResourceList {
	if len(others) == 0 {
		return resources
	}
	merged := maps.Clone(resources)
	if merged == nil {
		merged = corev1.ResourceList{}
	}
	maps.Copy(merged, others)
	return merged
}
