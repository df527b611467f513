// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"net/http"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestRefuse(t *testing.T) {
	t.Parallel()
	forbids := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "nightly"}, Spec: batchv1.CronJobSpec{ConcurrencyPolicy: batchv1.ForbidConcurrent}}
	monday := time.Date(2026, 3, 2, 2, 0, 0, 0, time.UTC)
	allows := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "nightly"}}
	run := controlledBy("batch/v1", "CronJob", "nightly")
	failingSoon := func(j *batchv1.Job) {
		j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobFailureTarget, Status: "True"}}
	}
	completed := func(j *batchv1.Job) {
		j.Status.Conditions = []batchv1.JobCondition{{Type: batchv1.JobComplete, Status: "True"}}
	}
	for name, tc := range map[string]struct {
		job     option
		change  func(*Facts)
		code    int32
		message string
	}{
		"a failed Job":                           {},
		"a completed Job that reported records":  {job: completed},
		"a Job that runs":                        {job: active, code: http.StatusConflict, message: "Job import has not ended"},
		"a Job whose pods still end":             {job: failingSoon, code: http.StatusConflict, message: "has not ended"},
		"a Job with a selector of its own":       {job: func(j *batchv1.Job) { j.Spec.ManualSelector = ptr.To(true) }, code: http.StatusUnprocessableEntity, message: "spec.manualSelector"},
		"a Job of a JobSet":                      {job: controlledBy("jobset.x-k8s.io/v1alpha2", "JobSet", "train"), code: http.StatusUnprocessableEntity, message: "controlled by JobSet train"},
		"a run of a CronJob":                     {job: run, change: func(f *Facts) { f.CronJob = allows }},
		"a run of a CronJob that is gone":        {job: run},
		"Current without a CronJob":              {change: func(f *Facts) { f.Spec.Template = joberrorv1.RetryCurrent }, code: http.StatusUnprocessableEntity, message: "spec.template"},
		"Original of a run":                      {job: run, change: func(f *Facts) { f.Spec.Template = joberrorv1.RetryOriginal }},
		"a retry that runs":                      {change: func(f *Facts) { f.Lineage = []*batchv1.Job{failedJob(), failedJob(active, named("import-r2"))} }, code: http.StatusConflict, message: "Job import-r2 has not ended"},
		"retries that ended":                     {change: func(f *Facts) { f.Lineage = []*batchv1.Job{failedJob(), failedJob(completed)} }},
		"a retry that ended while this waited":   {change: func(f *Facts) { f.Requested, f.Ended = monday, []EndedRetry{{"import-r1", monday.Add(time.Second)}} }, code: http.StatusConflict, message: "Job import-r1 ended after this request was made"},
		"a retry that had ended before":          {change: func(f *Facts) { f.Requested, f.Ended = monday, []EndedRetry{{"import-r1", monday}} }},
		"a retry that ended, before this exists": {change: func(f *Facts) { f.Ended = []EndedRetry{{"import-r1", monday}} }},
		"another run, which the CronJob forbids": {job: run, change: func(f *Facts) { f.CronJob, f.Runs = forbids, []*batchv1.Job{failedJob(active, named("nightly-2"))} }, code: http.StatusConflict, message: "Job nightly-2 has not ended"},
		"another run, which the CronJob allows":  {job: run, change: func(f *Facts) { f.CronJob, f.Runs = allows, []*batchv1.Job{failedJob(active)} }},
		"an earlier run that ended":              {job: run, change: func(f *Facts) { f.CronJob, f.Runs = forbids, []*batchv1.Job{failedJob()} }},
		"one attempt left":                       {change: func(f *Facts) { f.Attempts, f.MaxAttempts = 49, 50 }},
		"no attempt left":                        {change: func(f *Facts) { f.Attempts, f.MaxAttempts = 50, 50 }, code: http.StatusTooManyRequests, message: "retried 50 times"},
		"no limit":                               {change: func(f *Facts) { f.Attempts = 5000 }},
		"a Job that is gone, with a template":    {change: func(f *Facts) { f.Failed = nil }},
		"a Job that is gone, without one":        {change: func(f *Facts) { f.Failed, f.Template = nil, nil }, code: http.StatusGone, message: "job import is gone"},
		"an unknown container":                   {change: func(f *Facts) { f.Spec.Set = []joberrorv1.ContainerOverride{{Container: "other"}} }, code: http.StatusUnprocessableEntity, message: "no container other"},
		"the operator's variable": {change: func(f *Facts) {
			f.Spec.Set = []joberrorv1.ContainerOverride{{Container: "main", Env: []corev1.EnvVar{{Name: "A"}, {Name: EnvRetryOf}}}}
		}, code: http.StatusUnprocessableEntity, message: "spec.set[0].env[1].name: the operator sets JOBERROR_RETRY_OF"},
		"a known container": {change: func(f *Facts) { f.Spec.Set = []joberrorv1.ContainerOverride{{Container: "main"}} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := failedJob()
			if tc.job != nil {
				tc.job(job)
			}
			template := OriginalTemplate(job)
			facts := Facts{Spec: &joberrorv1.JobErrorRetrySpec{JobID: "import"}, Failed: job, Template: &template}
			if tc.change != nil {
				tc.change(&facts)
			}
			got := Refuse(facts)
			if tc.code == 0 {
				if got != nil {
					t.Errorf("refused: %+v", got)
				}
				return
			}
			if got == nil || got.Code != tc.code || !strings.Contains(got.Message, tc.message) {
				t.Errorf("refusal = %+v, want %d with %q", got, tc.code, tc.message)
			}
		})
	}
}
