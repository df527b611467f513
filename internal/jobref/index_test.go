// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"slices"
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestAliasesExcludeTheJobID(t *testing.T) {
	t.Parallel()
	linked := &joberrorv1.JobReference{Name: "backup", UID: jobUID}
	for name, tc := range map[string]struct {
		jobID string
		job   *joberrorv1.JobReference
		want  []string
	}{
		"an error without a link":                  {jobID: "backup"},
		"an error with the Job's name":             {jobID: "backup", job: linked, want: []string{string(jobUID)}},
		"an error with the Job's UID":              {jobID: string(jobUID), job: linked, want: []string{"backup"}},
		"an error whose _jobId is neither of them": {jobID: "other", job: linked, want: []string{"backup", string(jobUID)}},
	} {
		je := &joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{JobID: tc.jobID}, Status: joberrorv1.JobErrorStatus{Job: tc.job}}
		if got := aliases(je); !slices.Equal(got, tc.want) {
			t.Errorf("%s: aliases = %v, want %v", name, got, tc.want)
		}
	}
}
