// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// failures are what is captured of each sample: code, source but for the pod's
// name, and a part of the message.
var failures = map[string][][3]string{
	"exit-code":          {{"ExitCode:3", "/main", "no such table"}, backoff},
	"signal":             {{"ExitCode:139", "/main", "the container was ended by signal 11"}, backoff},
	"out-of-memory":      {{"OOMKilled", "/main", "the container was ended by signal 9"}, backoff},
	"start-error":        {{"StartError", "/main", "exec: no-such-program"}, backoff},
	"init-container":     {{"ExitCode:6", "/fetch", "the container ended with exit code 6"}, backoff},
	"sidecar":            {{"ExitCode:8", "/main", "the container ended with exit code 8"}, backoff},
	"restarts":           {{"ExitCode:5", "/main", "the container ended with exit code 5"}, backoff},
	"image-pull":         {{"ImagePullBackOff", "/main", "Back-off pulling image"}},
	"invalid-image-name": {{"InvalidImageName", "/main", "couldn't parse image name"}},
	"config-error":       {{"CreateContainerConfigError", "/main", `secret "no-such-secret" not found`}},
	"unschedulable":      {{"Unschedulable", "", "0/1 nodes are available"}},
	"pod-deadline":       {{"DeadlineExceeded", "", "Pod was active on the node longer"}, backoff},
	"job-deadline":       {{"DeadlineExceeded", "job", "Job was active longer than specified deadline"}},
	"indexed": {{"ExitCode:1", "/main", "index 0"}, {"ExitCode:1", "/main", "index 1"}, {"ExitCode:1", "/main", "index 2"},
		{"FailedIndexes", "job", "Job has failed indexes (failed indexes: 0-2)"}},
	"max-failed-indexes": {{"ExitCode:1", "/main", ""}, {"ExitCode:1", "/main", ""}, {"ExitCode:1", "/main", ""},
		{"MaxFailedIndexesExceeded", "job", "Job has exceeded the specified maximal number of failed indexes"}},
	"pod-failure-policy": {{"ExitCode:42", "/main", ""}, {"PodFailurePolicy", "job", "Container main for pod"}},
	"evicted":            {{"Evicted", "", "The node was low on resource"}, backoff},
	"preempted":          {{"PreemptionByScheduler", "", "default-scheduler: preempting"}, backoff},
	"taint":              {{"DeletionByTaintManager", "", "Taint manager"}, backoff},
	"node-lost":          {{"NodeLost", "", "Node node-1"}, backoff},
	"node-shutdown":      {{"Terminated", "", "Pod was terminated in response"}, backoff},
	"node-shutting-down": {{"NodeShutdown", "", "Pod was rejected"}, backoff},
	"admission-error":    {{"UnexpectedAdmissionError", "", "Allocate failed"}, backoff},
	"records":            {{"duplicate_key", "warehouse", "row 230"}, {"invalid_date", "/main", "row 17"}},
}

var backoff = [3]string{"BackoffLimitExceeded", "job", "Job has reached the specified backoff limit"}

func TestEachSampleIsOfAFailureThatIsCaptured(t *testing.T) {
	t.Parallel()
	files, err := os.ReadDir(filepath.Join(cluster.Root, "config", "samples", "failures"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(failures)+1 {
		t.Errorf("there are %d samples, and what is captured of %d is known", len(files)-1, len(failures))
	}
	for name, want := range failures {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			sample(t, ns, name)
			var expected []string
			for _, w := range want {
				expected = append(expected, w[0])
			}
			errors := captured(t, ns, expected...)
			// Those of an Indexed Job by their index, which the pod's name holds.
			slices.SortFunc(errors, func(a, b joberrorv1.JobError) int { return strings.Compare(a.Spec.Source, b.Spec.Source) })
			job := harness.Get(t, cluster.Client, ns, name, &batchv1.Job{})
			for _, w := range want {
				i := slices.IndexFunc(errors, func(je joberrorv1.JobError) bool { return je.Spec.Code == w[0] })
				check(t, job, errors[i], w[1], w[2])
				errors = slices.Delete(errors, i, i+1)
			}
		})
	}
}

// check judges one error of a sample.
func check(t *testing.T, job *batchv1.Job, je joberrorv1.JobError, source, message string) {
	t.Helper()
	is := strings.HasPrefix(je.Spec.Source, job.Name+"-") && strings.HasSuffix(je.Spec.Source, source)
	switch source {
	case "":
		is = strings.HasPrefix(je.Spec.Source, job.Name+"-") && !strings.Contains(je.Spec.Source, "/")
	case "job":
		is = je.Spec.Source == job.Name
	case "warehouse":
		is = je.Spec.Source == source
	}
	if !is || !strings.Contains(je.Spec.Message, message) {
		t.Errorf("%s: source %q, message %q; want %q, %q", je.Spec.Code, je.Spec.Source, je.Spec.Message, source, message)
	}
	reported := job.Name == "records"
	if (je.Labels[joberrorv1.LabelCaptured] == joberrorv1.Captured) == reported || je.Status.Occurrences == 0 {
		t.Errorf("%s: labels %v, %d occurrences", je.Spec.Code, je.Labels, je.Status.Occurrences)
	}
	if class := je.Labels[joberrorv1.LabelClass]; class == "" || (class == joberrorv1.ClassData) != reported {
		t.Errorf("%s is of the class %q", je.Spec.Code, class)
	}
	if je.Spec.JobID != job.Name || je.Spec.UserID != "kubectl-client-side-apply" || !harness.HasOwner(&je, job.UID) || je.Status.Job == nil || je.Status.Job.UID != job.UID {
		t.Errorf("%s: %+v, owners %v, linked to %+v", je.Spec.Code, je.Spec, je.OwnerReferences, je.Status.Job)
	}
	if harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved) != joberrorv1.ReasonOpen {
		t.Errorf("%s is %v", je.Spec.Code, je.Status.Conditions)
	}
}
