// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestShowError(t *testing.T) {
	t.Parallel()
	je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{JobID: "load", Code: "bad\x1b[31m", Resolved: true, Extracted: "one\ntwo"}}
	je.Name = "a"
	je.Status.Conditions = []metav1.Condition{{Type: joberrorv1.ConditionResolved, Status: metav1.ConditionTrue, Reason: "Requested", Message: "by ann"}}
	var out strings.Builder
	showError(&out, je, func(_, text string) string { return text })
	want := "joberror/a\n  Job:       load\n  Code:      bad^[[31m\n  State:     resolved (Requested: by ann)\n  Extracted: one\n             two\n\n"
	if out.String() != want {
		t.Errorf("showed\n%q\nwant\n%q", out.String(), want)
	}
}
