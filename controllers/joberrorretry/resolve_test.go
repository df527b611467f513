// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorretry

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

var succeededAt = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestEndedBy(t *testing.T) {
	t.Parallel()
	jet := &joberrorv1.JobErrorRetry{Status: joberrorv1.JobErrorRetryStatus{Job: &joberrorv1.RetryJob{Name: "import-r1", UID: "r1"}}}
	reopened := func(at time.Time) func(*joberrorv1.JobError) {
		return func(je *joberrorv1.JobError) {
			je.Status.Conditions = []metav1.Condition{{
				Type: joberrorv1.ConditionResolved, Status: metav1.ConditionFalse, Reason: joberrorv1.ReasonReopened, LastTransitionTime: metav1.NewTime(at),
			}}
		}
	}
	for name, tc := range map[string]struct {
		change func(*joberrorv1.JobError)
		want   bool
	}{
		"an error of the first Job": {func(*joberrorv1.JobError) {}, true},
		"the retry's own error":     {func(je *joberrorv1.JobError) { je.Labels[joberrorv1.LabelJobUID] = "r1" }, false},
		"an error that opted out": {func(je *joberrorv1.JobError) {
			je.Annotations = map[string]string{joberrorv1.AnnotationAutoResolve: joberrorv1.Off}
		}, false},
		"an error reopened before the retry":  {reopened(succeededAt.Add(-time.Hour)), true},
		"an error reopened after the success": {reopened(succeededAt.Add(time.Second)), false},
	} {
		je := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{joberrorv1.LabelJobUID: "root"}}}
		tc.change(je)
		if got := endedBy(je, jet, succeededAt); got != tc.want {
			t.Errorf("%s: endedBy = %t, want %t", name, got, tc.want)
		}
	}
}
