// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/jobref/jobreftest"
)

func TestNameOf(t *testing.T) {
	t.Parallel()
	job := subject{Job: backupJob()}
	exit := podFailure("exit", "1")
	row := failure.Failure{Key: "record/17", Occurrence: "1", At: now, Source: "pod-1/main", Report: &resolvev1.Record{Code: "row", Message: "row 17"}}
	schedule := failure.Failure{Key: "cronjob/MissSchedule", Occurrence: "1", At: now, CronJob: true}
	// as returns the JobError of a failure with a name and labels.
	as := func(f failure.Failure, n int, labels map[string]string, with ...func(*joberrorv1.JobError)) *joberrorv1.JobError {
		je := f.JobError(job.Job, "x")
		je.Name, je.Labels = failure.NumberedName(je.Name, n), labels
		for _, change := range with {
			change(je)
		}
		return je
	}
	captured := map[string]string{joberrorv1.LabelCaptured: "true", joberrorv1.LabelJobUID: "a"}
	linked := func(je *joberrorv1.JobError) { je.Status.Job = &joberrorv1.JobReference{Name: job.Name, UID: "a"} }
	ofAnotherPod := func(je *joberrorv1.JobError) { je.Spec.Source = "pod-2/main" }
	otherText := func(je *joberrorv1.JobError) { je.Spec.Generated = "2" }
	for name, tc := range map[string]struct {
		failure failure.Failure
		exist   []client.Object
		want    int
	}{
		"free":                                 {exit, nil, 1},
		"the record":                           {exit, []client.Object{as(exit, 1, captured)}, 1},
		"the record of all over the limit":     {failure.Overflow(exit, 1), []client.Object{as(failure.Overflow(exit, 1), 1, captured)}, 1},
		"taken":                                {exit, []client.Object{as(exit, 1, nil, linked)}, 2},
		"taken twice":                          {exit, []client.Object{as(exit, 1, nil), as(exit, 2, nil)}, 3},
		"taken once, then the record":          {exit, []client.Object{as(exit, 1, nil), as(exit, 2, captured)}, 2},
		"taken by a record of another Job":     {exit, []client.Object{as(exit, 1, map[string]string{joberrorv1.LabelCaptured: "true", joberrorv1.LabelJobUID: "b"})}, 2},
		"taken by something reported":          {exit, []client.Object{as(exit, 1, map[string]string{joberrorv1.LabelJobUID: "a"})}, 2},
		"a CronJob's record":                   {schedule, []client.Object{as(schedule, 1, map[string]string{joberrorv1.LabelCaptured: "true", joberrorv1.LabelCronJobName: job.Name})}, 1},
		"a CronJob's, taken":                   {schedule, []client.Object{as(schedule, 1, captured)}, 2},
		"reported in a message before":         {row, []client.Object{as(row, 1, map[string]string{joberrorv1.LabelJobUID: "a"}, otherText)}, 1},
		"reported in a request before":         {row, []client.Object{as(row, 1, nil, linked)}, 1},
		"reported by another pod before":       {row, []client.Object{as(row, 1, nil, linked, ofAnotherPod)}, 1},
		"a report's, taken by another text":    {row, []client.Object{as(row, 1, nil, linked, otherText)}, 2},
		"a report's, taken by an unlinked one": {row, []client.Object{as(row, 1, nil)}, 2},
		"a report's, taken by a captured one":  {row, []client.Object{as(row, 1, captured)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := &Reconciler{Cached: jobreftest.Cache(t, interceptor.Funcs{}, tc.exist...)}
			r.APIReader = r.Cached
			want := failure.NumberedName(failure.ErrorName(job.Name, job.UID, tc.failure.Key), tc.want)
			if got, err := r.nameOf(t.Context(), job, tc.failure); got != want || err != nil {
				t.Errorf("nameOf = %q, %v, want %q", got, err, want)
			}
		})
	}
}
