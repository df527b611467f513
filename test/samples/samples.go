// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package samples checks the errors captured for the Jobs in config/samples/failures. The
// expectations are the same whether kwok plays a pod's status or a kubelet reports it.
package samples

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// Failures holds the errors captured for each sample: the code, the source without the
// pod's name, and a part of the message.
var Failures = map[string][][3]string{
	"exit-code":          {{"ExitCode:3", "/main", "no such table"}, backoff},
	"signal":             {{"ExitCode:139", "/main", "the container was ended by signal 11"}, backoff},
	"out-of-memory":      {{"OOMKilled", "/main", "the container was ended by signal 9"}, backoff},
	"start-error":        {{"StartError", "/main", `exec: "no-such-program": executable file not found`}, backoff},
	"init-container":     {{"ExitCode:6", "/fetch", "the container ended with exit code 6"}, backoff},
	"sidecar":            {{"ExitCode:8", "/main", "the container ended with exit code 8"}, backoff},
	"restarts":           {{"ExitCode:5", "/main", "the container ended with exit code 5"}, backoff},
	"image-pull":         {{"ImagePullBackOff", "/main", "registry.invalid/none:1"}},
	"invalid-image-name": {{"InvalidImageName", "/main", "couldn't parse image name"}},
	"config-error":       {{"CreateContainerConfigError", "/main", `secret "no-such-secret" not found`}},
	"unschedulable":      {{"Unschedulable", "", "0/1 nodes are available"}},
	"no-service-account": {{"FailedCreate", "job", `serviceaccount "no-such-account" not found`}},
	"pod-deadline":       {{"DeadlineExceeded", "", "Pod was active on the node longer"}, backoff},
	"job-deadline":       {{"DeadlineExceeded", "job", "Job was active longer than specified deadline"}},
	"indexed": {{"ExitCode:1", "/main", "index 0"}, {"ExitCode:1", "/main", "index 1"}, {"ExitCode:1", "/main", "index 2"},
		{"FailedIndexes", "job", "Job has failed indexes (failed indexes: 0-2)"}},
	"max-failed-indexes": {{"ExitCode:1", "/main", ""}, {"ExitCode:1", "/main", ""}, {"ExitCode:1", "/main", ""},
		{"MaxFailedIndexesExceeded", "job", "Job has exceeded the specified maximal number of failed indexes"}},
	"pod-failure-policy": {{"ExitCode:42", "/main", ""}, {"PodFailurePolicy", "job", "Container main for pod"}},
	"evicted":            {{"Evicted", "", `Usage of EmptyDir volume "scratch" exceeds the limit`}, backoff},
	"preempted":          {{"PreemptionByScheduler", "", "default-scheduler: preempting"}, backoff},
	"taint":              {{"DeletionByTaintManager", "", "Taint manager"}, backoff},
	"node-lost":          {{"NodeLost", "", "Node node-1"}, backoff},
	"node-shutdown":      {{"Terminated", "", "Pod was terminated in response"}, backoff},
	"node-shutting-down": {{"NodeShutdown", "", "Pod was rejected"}, backoff},
	"admission-error":    {{"UnexpectedAdmissionError", "", "Allocate failed"}, backoff},
	"records":            {{"duplicate_key", "warehouse", "row 230"}, {"invalid_date", "/main", "row 17"}},
}

var backoff = [3]string{"BackoffLimitExceeded", "job", "Job has reached the specified backoff limit"}

// Folder returns the path of the samples.
func Folder(c *harness.Cluster) string {
	return filepath.Join(c.Root, "config", "samples", "failures")
}

// Apply creates the Job of a sample.
func Apply(t *testing.T, c *harness.Cluster, ns, name string) {
	t.Helper()
	c.Kubectl(t, "apply", "-n", ns, "-f", filepath.Join(Folder(c), name+".yaml"))
}

// Check waits until exactly the expected errors of a sample are captured, and checks them.
func Check(t *testing.T, c *harness.Cluster, ns, name string) {
	t.Helper()
	var codes []string
	for _, want := range Failures[name] {
		codes = append(codes, want[0])
	}
	captured := c.WaitErrors(t, ns, harness.Code, codes...)
	// This sorts the errors of an Indexed Job by index, which is part of the pod's name.
	slices.SortFunc(captured, func(a, b joberrorv1.JobError) int { return strings.Compare(a.Spec.Source, b.Spec.Source) })
	job := harness.Get(t, c.Client, ns, name, &batchv1.Job{})
	for _, want := range Failures[name] {
		i := slices.IndexFunc(captured, func(je joberrorv1.JobError) bool { return je.Spec.Code == want[0] })
		checkError(t, job, captured[i], want[1], want[2])
		captured = slices.Delete(captured, i, i+1)
	}
}

// checkError checks one error of a sample.
func checkError(t *testing.T, job *batchv1.Job, je joberrorv1.JobError, source, message string) {
	t.Helper()
	sourceMatches := strings.HasPrefix(je.Spec.Source, job.Name+"-") && strings.HasSuffix(je.Spec.Source, source)
	switch source {
	case "":
		sourceMatches = strings.HasPrefix(je.Spec.Source, job.Name+"-") && !strings.Contains(je.Spec.Source, "/")
	case "job":
		sourceMatches = je.Spec.Source == job.Name
	case "warehouse":
		sourceMatches = je.Spec.Source == source
	}
	if !sourceMatches || !strings.Contains(je.Spec.Message, message) {
		t.Errorf("%s: source %q, message %q; want %q, %q", je.Spec.Code, je.Spec.Source, je.Spec.Message, source, message)
	}
	isReported := job.Name == "records"
	if (je.Labels[joberrorv1.LabelCaptured] == joberrorv1.Captured) == isReported || je.Status.Occurrences == 0 {
		t.Errorf("%s: labels %v, %d occurrences; captured must be %t, with occurrences", je.Spec.Code, je.Labels, je.Status.Occurrences, !isReported)
	}
	if class := je.Labels[joberrorv1.LabelClass]; class == "" || (class == joberrorv1.ClassData) != isReported {
		t.Errorf("class of %s = %q; class data must be %t", je.Spec.Code, class, isReported)
	}
	if je.Spec.JobID != job.Name || je.Spec.UserID != "kubectl-client-side-apply" || !harness.HasOwner(&je, job.UID) || je.Status.Job == nil || je.Status.Job.UID != job.UID {
		t.Errorf("%s: spec %+v, owners %v, Job %+v; want all of them to name the Job", je.Spec.Code, je.Spec, je.OwnerReferences, je.Status.Job)
	}
	if harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved) != joberrorv1.ReasonOpen {
		t.Errorf("conditions of %s = %v, want it open", je.Spec.Code, je.Status.Conditions)
	}
}
