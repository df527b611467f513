// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestASeverityThatIsNotAllowedIsRefused(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{joberrorv1.LabelSeverity: "critical"}}}
	if got := severityRefusals(job); len(got) > 0 {
		t.Errorf("refusals = %v, want none", got)
	}
	if got := severityRefusals(nil); len(got) > 0 {
		t.Errorf("refusals of no Job = %v, want none", got)
	}
	job.Labels[joberrorv1.LabelSeverity] = "page"
	got := severityRefusals(job)
	if len(got) != 1 || got[0].Reason != reasonInvalidSeverity || !strings.Contains(got[0].Message, "page") {
		t.Errorf("refusals = %v, want one that names the value", got)
	}
}
