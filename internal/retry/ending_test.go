// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestEnding(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 26, 2, 0, 0, 0, time.UTC)
	condition := func(kind batchv1.JobConditionType, status corev1.ConditionStatus) batchv1.JobCondition {
		return batchv1.JobCondition{Type: kind, Status: status, LastTransitionTime: metav1.NewTime(at), Message: "as told"}
	}
	for name, tc := range map[string]struct {
		conditions []batchv1.JobCondition
		want       Ending
	}{
		"running":             {},
		"about to fail":       {conditions: []batchv1.JobCondition{condition(batchv1.JobFailureTarget, corev1.ConditionTrue)}},
		"about to succeed":    {conditions: []batchv1.JobCondition{condition(batchv1.JobSuccessCriteriaMet, corev1.ConditionTrue)}},
		"suspended":           {conditions: []batchv1.JobCondition{condition(batchv1.JobSuspended, corev1.ConditionTrue)}},
		"not failed any more": {conditions: []batchv1.JobCondition{condition(batchv1.JobFailed, corev1.ConditionFalse)}},
		"failed": {
			conditions: []batchv1.JobCondition{condition(batchv1.JobFailureTarget, corev1.ConditionTrue), condition(batchv1.JobFailed, corev1.ConditionTrue)},
			want:       Ending{Ended: true, At: at, Message: "as told"},
		},
		"succeeded": {
			conditions: []batchv1.JobCondition{condition(batchv1.JobComplete, corev1.ConditionTrue)},
			want:       Ending{Ended: true, Succeeded: true, At: at, Message: "as told"},
		},
	} {
		job := &batchv1.Job{Status: batchv1.JobStatus{Conditions: tc.conditions}}
		if got := EndingOf(job); got != tc.want {
			t.Errorf("%s: EndingOf = %+v, want %+v", name, got, tc.want)
		}
	}
}
