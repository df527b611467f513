// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joblink

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retention"
)

func TestTheLinkCopiesSeverityAndWorkload(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team", Name: "train-0", UID: "u", Labels: map[string]string{joberrorv1.LabelSeverity: "critical"},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "jobset.x-k8s.io/v1alpha2", Kind: "JobSet", Name: "train", Controller: ptr.To(true)}},
	}}
	for name, link := range map[string]func(*joberrorv1.JobError){
		"Apply":    func(je *joberrorv1.JobError) { Apply(je, job, "n", retention.Policy{}) },
		"Remember": func(je *joberrorv1.JobError) { Remember(je, job, "n") },
	} {
		je := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: "team"}}
		link(je)
		if je.Labels[joberrorv1.LabelSeverity] != "critical" || je.Annotations[joberrorv1.AnnotationWorkload] != "JobSet/train" {
			t.Errorf("%s: labels = %v, annotations = %v, want the severity and the workload of the Job", name, je.Labels, je.Annotations)
		}
		ofCronJob := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Labels: map[string]string{joberrorv1.LabelCronJobName: "nightly"}}}
		link(ofCronJob)
		if workload := ofCronJob.Annotations[joberrorv1.AnnotationWorkload]; workload != "" {
			t.Errorf("%s: workload of an error with the label of a CronJob = %q, want none", name, workload)
		}
	}
}
