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

func TestOfJob(t *testing.T) {
	t.Parallel()
	is := func(kind batchv1.JobConditionType, status corev1.ConditionStatus, reason string) batchv1.JobCondition {
		return batchv1.JobCondition{Type: kind, Status: status, Reason: reason, Message: "m", LastTransitionTime: start}
	}
	for _, tc := range []struct {
		name       string
		conditions []batchv1.JobCondition
		failed     *string
		want       []string // key | message
	}{
		{name: "running"},
		{name: "complete", conditions: []batchv1.JobCondition{is(batchv1.JobSuccessCriteriaMet, corev1.ConditionTrue, "x"), is(batchv1.JobComplete, corev1.ConditionTrue, "x")}},
		{name: "suspended", conditions: []batchv1.JobCondition{is(batchv1.JobSuspended, corev1.ConditionTrue, "JobSuspended")}},
		{name: "about to fail", conditions: []batchv1.JobCondition{is(batchv1.JobFailureTarget, corev1.ConditionTrue, "BackoffLimitExceeded")}, want: []string{"job/BackoffLimitExceeded | m"}},
		{name: "failed", conditions: []batchv1.JobCondition{
			is(batchv1.JobFailureTarget, corev1.ConditionTrue, "DeadlineExceeded"), is(batchv1.JobFailed, corev1.ConditionTrue, "DeadlineExceeded")},
			want: []string{"job/DeadlineExceeded | m"}},
		{name: "failed without an announcement", conditions: []batchv1.JobCondition{is(batchv1.JobFailed, corev1.ConditionTrue, "PodFailurePolicy")}, want: []string{"job/PodFailurePolicy | m"}},
		{name: "not failed", conditions: []batchv1.JobCondition{is(batchv1.JobFailed, corev1.ConditionFalse, "x")}},
		{name: "indexes", failed: ptr.To("1,3-5"), conditions: []batchv1.JobCondition{is(batchv1.JobFailed, corev1.ConditionTrue, "FailedIndexes")},
			want: []string{"job/FailedIndexes | m (failed indexes: 1,3-5)"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "job", UID: "u"}}
			job.Status.Conditions, job.Status.FailedIndexes = tc.conditions, tc.failed
			got := FromJob(job)
			if len(got) != len(tc.want) {
				t.Fatalf("got %+v, want %v", got, tc.want)
			}
			for i, f := range got {
				if f.Key+" | "+f.Message != tc.want[i] || f.Source != "job" || f.At.IsZero() || f.Occurrence == "" {
					t.Errorf("got %+v, want %s", f, tc.want[i])
				}
			}
		})
	}
}
