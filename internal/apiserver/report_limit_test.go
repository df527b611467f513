// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"fmt"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/errorlimit"
)

func TestReportLimit(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "import", UID: "1"}}
	for name, test := range map[string]struct {
		limits            errorlimit.Limits
		linked, unlinked  int
		ofAnotherJob      int
		wantMessageAround string
	}{
		"no errors":                      {limits: errorlimit.Limits{Job: 10}},
		"at the limit and a tenth":       {limits: errorlimit.Limits{Job: 10}, linked: 11},
		"above that":                     {limits: errorlimit.Limits{Job: 10}, linked: 12, wantMessageAround: "Job import has 12 errors, and 10 are kept (--max-errors-per-job)"},
		"above that, not all linked yet": {limits: errorlimit.Limits{Job: 10}, linked: 6, unlinked: 6, wantMessageAround: "Job import has 12 errors"},
		"another Job":                    {limits: errorlimit.Limits{Job: 10}, ofAnotherJob: 12},
		"the namespace":                  {limits: errorlimit.Limits{Namespace: 10}, ofAnotherJob: 12, wantMessageAround: "namespace team has 12 errors, and 10 are kept (--max-errors-per-namespace)"},
		"unlimited":                      {linked: 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			counter := errorlimit.NewCounter(test.limits)
			add := func(n int, jobID string, linked *joberrorv1.JobReference) {
				for i := range n {
					counter.OnAdd(&joberrorv1.JobError{
						ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: fmt.Sprint(i)},
						Spec:       joberrorv1.JobErrorSpec{JobID: jobID}, Status: joberrorv1.JobErrorStatus{Job: linked},
					}, true)
				}
			}
			add(test.linked, "import", &joberrorv1.JobReference{Name: "import", UID: "1"})
			add(test.unlinked, "import", nil)
			add(test.ofAnotherJob, "other", nil)
			err := (&backend{errors: counter}).checkReportLimit(job)
			if test.wantMessageAround == "" {
				if err != nil {
					t.Errorf("checkReportLimit = %v, want nil", err)
				}
				return
			}
			seconds, _ := apierrors.SuggestsClientDelay(err)
			if !apierrors.IsTooManyRequests(err) || seconds == 0 || !strings.Contains(err.Error(), test.wantMessageAround) {
				t.Errorf("checkReportLimit = %v, want a 429 with a delay and %q", err, test.wantMessageAround)
			}
		})
	}
}
