// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package failure

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

func TestFromJob(t *testing.T) {
	t.Parallel()
	newCondition := func(conditionType batchv1.JobConditionType, status corev1.ConditionStatus, reason string) batchv1.JobCondition {
		return batchv1.JobCondition{Type: conditionType, Status: status, Reason: reason, Message: "m", LastTransitionTime: start}
	}
	for _, tc := range []struct {
		name       string
		conditions []batchv1.JobCondition
		indexes    *string
		want       []string // key | message
	}{
		{name: "running"},
		{name: "complete", conditions: []batchv1.JobCondition{newCondition(batchv1.JobSuccessCriteriaMet, corev1.ConditionTrue, "x"), newCondition(batchv1.JobComplete, corev1.ConditionTrue, "x")}},
		{name: "suspended", conditions: []batchv1.JobCondition{newCondition(batchv1.JobSuspended, corev1.ConditionTrue, "JobSuspended")}},
		{name: "failing", conditions: []batchv1.JobCondition{newCondition(batchv1.JobFailureTarget, corev1.ConditionTrue, "BackoffLimitExceeded")}, want: []string{"job/BackoffLimitExceeded | m"}},
		{name: "failed", conditions: []batchv1.JobCondition{
			newCondition(batchv1.JobFailureTarget, corev1.ConditionTrue, "DeadlineExceeded"), newCondition(batchv1.JobFailed, corev1.ConditionTrue, "DeadlineExceeded")},
			want: []string{"job/DeadlineExceeded | m"}},
		{name: "failed without FailureTarget", conditions: []batchv1.JobCondition{newCondition(batchv1.JobFailed, corev1.ConditionTrue, "PodFailurePolicy")}, want: []string{"job/PodFailurePolicy | m"}},
		{name: "Failed is False", conditions: []batchv1.JobCondition{newCondition(batchv1.JobFailed, corev1.ConditionFalse, "x")}},
		{name: "failed indexes", indexes: ptr.To("1,3-5"), conditions: []batchv1.JobCondition{newCondition(batchv1.JobFailed, corev1.ConditionTrue, "FailedIndexes")},
			want: []string{"job/FailedIndexes | m (failed indexes: 1,3-5)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "job", UID: "u"}}
			j.Status.Conditions, j.Status.FailedIndexes = tc.conditions, tc.indexes
			got := FromJob(j)
			if len(got) != len(tc.want) {
				t.Fatalf("FromJob = %+v, want %v", got, tc.want)
			}
			for i, f := range got {
				if f.Key+" | "+f.Message != tc.want[i] || f.Source != "job" || f.At.IsZero() || f.Occurrence == "" {
					t.Errorf("FromJob = %+v, want %s with a source, a time and an occurrence", f, tc.want[i])
				}
			}
		})
	}
}
