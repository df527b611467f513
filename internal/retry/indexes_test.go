// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/utils/ptr"
)

func TestCompletedIndexes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		failed, template option
		want             string
		count            int32
	}{
		"some succeeded":            {indexed(10, "0-6,9"), indexed(10, ""), "0-6,9", 8},
		"none succeeded":            {indexed(10, ""), indexed(10, ""), "", 0},
		"all succeeded":             {indexed(10, "0-9"), indexed(10, ""), "", 0},
		"another number by now":     {indexed(10, "0-6"), indexed(20, ""), "", 0},
		"not Indexed":               {named("import"), named("import"), "", 0},
		"no longer Indexed":         {indexed(10, "0-6"), named("import"), "", 0},
		"a text without a number":   {indexed(10, "0-6,x"), indexed(10, ""), "", 0},
		"a range without an end":    {indexed(10, "0-"), indexed(10, ""), "", 0},
		"a range that goes down":    {indexed(10, "6-0"), indexed(10, ""), "", 0},
		"indexes that overlap":      {indexed(10, "0-6,6"), indexed(10, ""), "0-6", 7},
		"two in a row":              {indexed(10, "3,4"), indexed(10, ""), "3,4", 2},
		"an index beyond the last":  {indexed(10, "0-10"), indexed(10, ""), "", 0},
		"an index that is negative": {indexed(10, "-1"), indexed(10, ""), "", 0},
		"another controller's Job":  {indexed(10, "0-6"), managedByOther, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := CompletedIndexes([]*batchv1.Job{failedJob(tc.failed)}, failedJob(tc.template).Spec)
			if count := CountIndexes(got, 10); got != tc.want || count != tc.count {
				t.Errorf("CompletedIndexes = %q, %d, want %q, %d", got, count, tc.want, tc.count)
			}
		})
	}
}

func TestCompletedIndexesOfALineage(t *testing.T) {
	t.Parallel()
	jobs := []*batchv1.Job{failedJob(indexed(10, "5,7-9")), failedJob(indexed(10, "0,1,3")), failedJob(indexed(5, "2")), failedJob(named("other"))}
	if got := CompletedIndexes(jobs, failedJob(indexed(10, "")).Spec); got != "0,1,3,5,7-9" {
		t.Errorf("CompletedIndexes = %q, want those of both Jobs with ten completions", got)
	}
}

func managedByOther(job *batchv1.Job) {
	indexed(10, "")(job)
	job.Spec.ManagedBy = ptr.To("example.com/controller")
}
