// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/plugin/timeline"
)

func TestNextCommands(t *testing.T) {
	t.Parallel()
	o := optionsFor(genericiooptions.IOStreams{})
	open, resolved := joberrorv1.JobError{}, joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{Resolved: true}}
	open.Name, resolved.Name = "open", "resolved"
	linked := joberrorv1.JobError{Status: joberrorv1.JobErrorStatus{Job: &joberrorv1.JobReference{Name: "load", UID: "1"}}}
	ended := batchv1.Job{Status: batchv1.JobStatus{Conditions: []batchv1.JobCondition{{Type: batchv1.JobFailed, Status: corev1.ConditionTrue}}}}
	owned := func(kind string) batchv1.Job {
		job := *ended.DeepCopy()
		job.OwnerReferences = []metav1.OwnerReference{{Kind: kind, Controller: ptr.To(true)}}
		return job
	}
	for name, tc := range map[string]struct {
		je     *joberrorv1.JobError
		jobs   []batchv1.Job
		errors []joberrorv1.JobError
		pod    string
		// want holds the subcommand and its first argument.
		want []string
	}{
		"nothing":                     {},
		"an open error of a Job":      {jobs: []batchv1.Job{ended}, errors: []joberrorv1.JobError{open}, want: []string{"retry job/load", "resolve job/load"}},
		"a pod":                       {jobs: []batchv1.Job{ended}, pod: "pod/x", want: []string{"logs pod/x"}},
		"a running Job":               {jobs: []batchv1.Job{ended, {}}, errors: []joberrorv1.JobError{open}, want: []string{"resolve job/load"}},
		"the Job of a JobSet":         {jobs: []batchv1.Job{owned("JobSet")}, errors: []joberrorv1.JobError{open}, want: []string{"resolve job/load"}},
		"the Job of a CronJob":        {jobs: []batchv1.Job{owned("CronJob")}, errors: []joberrorv1.JobError{open}, want: []string{"retry job/load", "resolve job/load"}},
		"two resolved errors":         {errors: []joberrorv1.JobError{resolved, resolved}, want: []string{"list --job=load"}},
		"a Job that was deleted":      {errors: []joberrorv1.JobError{linked}, want: []string{"retry job/load", "resolve job/load"}},
		"a Job that never existed":    {errors: []joberrorv1.JobError{open}, want: []string{"resolve job/load"}},
		"one error that is open":      {je: &open, jobs: []batchv1.Job{ended}, errors: []joberrorv1.JobError{open}, want: []string{"retry joberror/open", "resolve joberror/open", "show job/load"}},
		"one error that was resolved": {je: &resolved, errors: []joberrorv1.JobError{resolved}, want: []string{"show job/load", "reopen joberror/resolved"}},
	} {
		var got []string
		for _, command := range o.nextCommands("team", target{job: "load", je: tc.je}, timeline.Records{Jobs: tc.jobs, Errors: tc.errors}, tc.pod) {
			if !strings.Contains(command, " -n team") {
				t.Errorf("%s: %s lacks the namespace", name, command)
			}
			words := strings.Fields(strings.TrimPrefix(strings.TrimPrefix(command, "kubectl "), "joberrors "))
			got = append(got, strings.Join(words[:2], " "))
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s: next commands = %q, want %q", name, got, tc.want)
		}
	}
}
