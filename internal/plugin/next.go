// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"joberror.io/operator/internal/plugin/timeline"
)

// nextCommands returns the commands to type after a look at a Job or an error. pod is the pod
// whose logs to read, as pod/NAME, or empty.
func (o *options) nextCommands(namespace string, t target, records timeline.Records, pod string) []string {
	open := 0
	for i := range records.Errors {
		if !records.Errors[i].Spec.Resolved {
			open++
		}
	}
	var commands []string
	add := func(words ...string) { commands = append(commands, o.hint(append([]string{"kubectl"}, words...)...)) }
	name := "job/" + t.job
	if t.je != nil {
		name = "joberror/" + t.je.Name
	}
	if pod != "" {
		add("logs", pod, "-n", namespace)
	}
	if open > 0 {
		if mayRetry(records) {
			add("joberrors", "retry", name, "-n", namespace, "--wait")
		}
		add("joberrors", "resolve", name, "-n", namespace, "--reason", "…")
	}
	if t.je != nil {
		add("joberrors", "show", "job/"+t.job, "-n", namespace)
		if open == 0 {
			add("joberrors", "reopen", name, "-n", namespace, "--reason", "…")
		}
	}
	if len(records.Errors) > 1 && t.je == nil {
		add("joberrors", "list", "--job="+t.job, "-n", namespace, "--group-by=none", "--open=false")
	}
	return commands
}

// mayRetry reports whether a retry can start: there is or was a Job, every Job of the lineage has
// ended, and none has a controller other than a CronJob.
func mayRetry(records timeline.Records) bool {
	deleted, _ := timeline.Gone(records)
	if len(records.Jobs)+len(deleted) == 0 {
		return false
	}
	for i := range records.Jobs {
		job := &records.Jobs[i]
		ended := slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
			return (c.Type == batchv1.JobFailed || c.Type == batchv1.JobComplete) && c.Status == corev1.ConditionTrue
		})
		controller := metav1.GetControllerOf(job)
		if !ended || controller != nil && controller.Kind != "CronJob" {
			return false
		}
	}
	return true
}
