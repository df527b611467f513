// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// The annotation on the CronJob itself decides whether the failure is recorded.
func TestRecordsWhyACronJobDoesNotStart(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	for name, capture := range map[string]string{"opted-out": "false", "opted-in": "true"} {
		cronJob := harness.Create(t, cluster.Client, &batchv1.CronJob{
			ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: name, Annotations: map[string]string{joberrorv1.AnnotationCapture: capture}},
			Spec: batchv1.CronJobSpec{
				Schedule: "0 3 * * *", Suspend: ptr.To(true),
				JobTemplate: batchv1.JobTemplateSpec{Spec: harness.Job(ns, "job").Spec},
			},
		})
		now := metav1.Now()
		harness.Create(t, cluster.Client, &corev1.Event{
			ObjectMeta:     metav1.ObjectMeta{Namespace: ns, GenerateName: name + "-"},
			InvolvedObject: corev1.ObjectReference{APIVersion: "batch/v1", Kind: "CronJob", Namespace: ns, Name: name, UID: cronJob.UID},
			Reason:         "MissSchedule", Message: "Missed scheduled time to start a job", Type: corev1.EventTypeWarning,
			FirstTimestamp: now, LastTimestamp: now, Count: 1,
		})
	}
	je := cluster.WaitErrors(t, ns, harness.JobAndCode, "opted-in/MissSchedule")[0]
	if je.Labels[joberrorv1.LabelClass] != joberrorv1.ClassSchedule || je.Spec.Source != "cronjob" {
		t.Errorf("labels = %v, source = %q, want the class %s and the source cronjob", je.Labels, je.Spec.Source, joberrorv1.ClassSchedule)
	}
}
