//go:build linux && node

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package node

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// These failures never reach a status, so the operator reads them from Events.
func TestCapturesFailuresThatOnlyEventsShow(t *testing.T) {
	for name, tc := range map[string]struct {
		configure     func(*batchv1.Job)
		quota         corev1.ResourceList
		code, message string
		class         string
	}{
		"quota": {quota: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("0")},
			code: "FailedCreate", message: "exceeded quota: nothing-left", class: joberrorv1.ClassResources},
		"missing ServiceAccount": {configure: func(job *batchv1.Job) { job.Spec.Template.Spec.ServiceAccountName = "nobody" },
			code: "FailedCreate", message: `serviceaccount "nobody" not found`, class: joberrorv1.ClassConfiguration},
		"missing volume": {configure: func(job *batchv1.Job) {
			job.Spec.Template.Spec.Volumes = []corev1.Volume{{Name: "settings", VolumeSource: corev1.VolumeSource{
				ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "no-such-settings"}}}}}
			job.Spec.Template.Spec.Containers[0].VolumeMounts = []corev1.VolumeMount{{Name: "settings", MountPath: "/settings"}}
		}, code: "FailedMount", message: `configmap "no-such-settings" not found`, class: joberrorv1.ClassConfiguration},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			if tc.quota != nil {
				harness.Create(t, cluster.Client, &corev1.ResourceQuota{
					ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "nothing-left"}, Spec: corev1.ResourceQuotaSpec{Hard: tc.quota},
				})
			}
			job := shellJob(ns, "job", "exit 0")
			if tc.configure != nil {
				tc.configure(job)
			}
			harness.Create(t, cluster.Client, job)
			harness.Eventually(t, func() string {
				var events corev1.EventList
				if err := cluster.Client.List(t.Context(), &events, client.InNamespace(ns)); err != nil {
					return err.Error()
				}
				if !slices.ContainsFunc(events.Items, func(e corev1.Event) bool { return e.Reason == tc.code }) {
					return "no Event " + tc.code + " yet"
				}
				return ""
			})
			// The Job is deleted, as if a user gave up on it. The failure is recorded even if
			// the grace period has not ended.
			deleteJob(t, ns, metav1.DeletePropagationBackground)
			for _, je := range cluster.WaitErrors(t, ns, harness.Code, tc.code) {
				if !strings.Contains(je.Spec.Message, tc.message) || je.Labels[joberrorv1.LabelClass] != tc.class {
					t.Errorf("message %q, class %q; want %q, %q", je.Spec.Message, je.Labels[joberrorv1.LabelClass], tc.message, tc.class)
				}
			}
		})
	}
}
