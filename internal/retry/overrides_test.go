// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestOverride(t *testing.T) {
	t.Parallel()
	memory := func(size string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceMemory: resource.MustParse(size)}
	}
	for name, tc := range map[string]struct {
		override joberrorv1.ContainerOverride
		want     func(*corev1.Container)
	}{
		"nothing":       {joberrorv1.ContainerOverride{}, func(*corev1.Container) {}},
		"arguments":     {joberrorv1.ContainerOverride{Args: []string{"--only=7"}}, func(c *corev1.Container) { c.Args = []string{"--only=7"} }},
		"a variable":    {joberrorv1.ContainerOverride{Env: []corev1.EnvVar{{Name: "MODE", Value: "some"}}}, func(c *corev1.Container) { c.Env[0].Value = "some" }},
		"a new one":     {joberrorv1.ContainerOverride{Env: []corev1.EnvVar{{Name: "DEBUG", Value: "1"}}}, func(c *corev1.Container) { c.Env = append(c.Env, corev1.EnvVar{Name: "DEBUG", Value: "1"}) }},
		"a new limit":   {joberrorv1.ContainerOverride{Resources: &joberrorv1.RetryResources{Limits: memory("2Gi")}}, func(c *corev1.Container) { c.Resources.Limits = memory("2Gi") }},
		"a new request": {joberrorv1.ContainerOverride{Resources: &joberrorv1.RetryResources{Requests: memory("2Gi")}}, func(c *corev1.Container) { c.Resources.Requests[corev1.ResourceMemory] = resource.MustParse("2Gi") }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pod := failedJob().Spec.Template.Spec
			requests := memory("1Gi")
			requests[corev1.ResourceCPU] = resource.MustParse("1")
			pod.Containers[0].Resources.Requests = requests
			want := pod.DeepCopy()
			tc.want(&want.Containers[0])
			tc.override.Container = "main"
			override(&pod, []joberrorv1.ContainerOverride{tc.override})
			if !equality.Semantic.DeepEqual(&pod, want) {
				t.Errorf("container = %+v, want %+v", pod.Containers[0], want.Containers[0])
			}
		})
	}
}

func TestOverridesAnInitContainer(t *testing.T) {
	t.Parallel()
	pod := failedJob().Spec.Template.Spec
	override(&pod, []joberrorv1.ContainerOverride{{Container: "fetch", Args: []string{"-v"}}})
	if got := pod.InitContainers[0].Args; !slices.Equal(got, []string{"-v"}) {
		t.Errorf("args = %v", got)
	}
}

func TestUnknownContainers(t *testing.T) {
	t.Parallel()
	pod := failedJob().Spec.Template.Spec
	set := []joberrorv1.ContainerOverride{{Container: "main"}, {Container: "sidecar"}, {Container: "fetch"}}
	if got := unknownContainers(&pod, set); !slices.Equal(got, []string{"sidecar"}) {
		t.Errorf("unknownContainers = %v, want sidecar", got)
	}
}
