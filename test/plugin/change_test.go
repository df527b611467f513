// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package plugin

import (
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// isResolved fails the test if an error does not have this state.
func isResolved(t *testing.T, ns, name string, want bool) {
	t.Helper()
	if got := harness.Get(t, cluster.Client, ns, name, &joberrorv1.JobError{}).Spec.Resolved; got != want {
		t.Errorf("resolved of %s = %t, want %t", name, got, want)
	}
}

func TestResolveAndReopen(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	for _, name := range []string{"a", "b", "c"} {
		harness.Create(t, cluster.Client, harness.JobError(ns, name, "load"))
	}
	cluster.WaitErrors(t, ns, func(je *joberrorv1.JobError) string { return je.Name }, "a", "b", "c")

	out, _ := plugin(t, "resolve", "load", "-n", ns, "--dry-run=server").want(t, 0)
	contains(t, out, "job/load: 3 of 3 errors resolved (server dry run)")
	isResolved(t, ns, "a", false)

	out, _ = plugin(t, "resolve", "joberror/a", "-n", ns, "--reason=fixed").want(t, 0)
	contains(t, out, "joberror/a resolved\n")
	isResolved(t, ns, "a", true)
	isResolved(t, ns, "b", false)
	out, _ = plugin(t, "resolve", "a", "-n", ns).want(t, 0)
	contains(t, out, "joberror/a already resolved\n")

	out, _ = plugin(t, "resolve", "job/load", "-n", ns).want(t, 0)
	contains(t, out, "job/load: 2 of 2 errors resolved\n")
	out, _ = plugin(t, "resolve", "job/load", "-n", ns).want(t, 0)
	contains(t, out, "job/load: no errors to resolve\n")

	out, _ = plugin(t, "reopen", "joberror/a", "je/b", "-n", ns).want(t, 0)
	contains(t, out, "2 errors: 2 of 2 errors reopened\n")
	isResolved(t, ns, "b", false)
	isResolved(t, ns, "c", true)

	_, stderr := plugin(t, "resolve", "job/unknown", "-n", ns).want(t, 1)
	contains(t, stderr, "neither a Job nor an error in namespace "+ns+" has this name")
	_, stderr = plugin(t, "resolve", "joberror/unknown", "-n", ns).want(t, 1)
	contains(t, stderr, "read joberror/unknown: namespace ")

	harness.Create(t, cluster.Client, harness.Job(ns, "a"))
	_, stderr = plugin(t, "resolve", "a", "-n", ns).want(t, 2)
	contains(t, stderr, "write job/a or joberror/a")
}

func TestRights(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "a", "load"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "b", "load"))
	cluster.WaitErrors(t, ns, func(je *joberrorv1.JobError) string { return je.Name }, "a", "b")
	cluster.Grant(t, ns, "viewer-of-"+ns, "joberror-viewer")
	cluster.Grant(t, ns, "resolver-of-"+ns, "joberror-resolver")

	_, stderr := plugin(t, "-n", ns).as(t, "nobody").want(t, 1)
	contains(t, stderr, "list errors: ", "forbidden", "nobody")
	out, _ := plugin(t, "-n", ns).as(t, "viewer-of-"+ns).want(t, 0)
	contains(t, out, "job/load")
	out, _ = plugin(t, "show", "load", "-n", ns).as(t, "viewer-of-"+ns).want(t, 0)
	contains(t, out, "joberror/a")
	for _, args := range [][]string{
		{"resolve", "job/load"}, {"resolve", "joberror/a"}, {"retry", "load"},
	} {
		_, stderr := plugin(t, append(args, "-n", ns)...).as(t, "viewer-of-"+ns).want(t, 1)
		contains(t, stderr, "forbidden")
	}
	isResolved(t, ns, "a", false)

	out, _ = plugin(t, "resolve", "load", "-n", ns).as(t, "resolver-of-"+ns).want(t, 0)
	contains(t, out, "job/load: 2 of 2 errors resolved\n")
	out, _ = plugin(t, "reopen", "joberror/a", "-n", ns).as(t, "resolver-of-"+ns).want(t, 0)
	contains(t, out, "joberror/a reopened")
}

// A role that somebody wrote may lack the right to read resolutions.
func TestResolveWithoutTheRightToFollow(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "b", "load"))
	cluster.WaitErrors(t, ns, func(je *joberrorv1.JobError) string { return je.Name }, "b")
	user := "blind-in-" + ns
	role := harness.Create(t, cluster.Client, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "create-only"},
		Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{"resolve.joberror.io"}, Resources: []string{"jobs/joberrors"}, Verbs: []string{"update"}},
			{APIGroups: []string{"joberror.io"}, Resources: []string{"joberrorresolutions"}, Verbs: []string{"create"}},
		},
	})
	harness.Create(t, cluster.Client, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: role.Name},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
	harness.Eventually(t, func() string {
		out, _ := cluster.Run(t.Context(), nil, "auth", "can-i", "create", "joberrorresolutions", "-n", ns, "--as", user)
		if !strings.Contains(out, "yes") {
			return "the user has no rights yet"
		}
		return ""
	})
	_, stderr := plugin(t, "resolve", "job/load", "-n", ns).as(t, user).want(t, 0)
	contains(t, stderr, "you may not read how far it is", "kubectl get jer resolve-")
	harness.Eventually(t, func() string {
		if !harness.Get(t, cluster.Client, ns, "b", &joberrorv1.JobError{}).Spec.Resolved {
			return "b is not resolved"
		}
		return ""
	})
}

func TestShowAndRetry(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "load", harness.Failing("3")))
	cluster.WaitJobCondition(t, ns, "load", batchv1.JobFailed)
	job := harness.Get(t, cluster.Client, ns, "load", &batchv1.Job{})
	harness.Eventually(t, func() string {
		if n := len(cluster.Errors(t, ns)); n < 2 {
			return "not all errors are recorded"
		}
		return ""
	})
	out, _ := plugin(t, "show", "load", "-n", ns).want(t, 0)
	contains(t, out, "job/load started", "job/load failed: BackoffLimitExceeded", " of job/load (application, open)", "Next:", "kubectl logs pod/load-",
		"kubectl joberrors retry job/load -n "+ns+" --wait", "kubectl joberrors resolve job/load")

	out, _ = plugin(t, "retry", "load", "-n", ns, "--dry-run=server", "-o", "yaml", "--set=main.env.DEBUG=1", "--set=main.args=--all").want(t, 0)
	contains(t, out, "kind: Job\n", "name: load-r1", "name: DEBUG", "- --all")
	out, _ = plugin(t, "retry", "load", "-n", ns, "--dry-run=server").want(t, 0)
	contains(t, out, "job/load would run as job/load-r1 (server dry run)")

	// Its template fails again.
	out, stderr := plugin(t, "retry", "load", "-n", ns, "--wait", "--reason=again").want(t, 1)
	contains(t, out, "job/load runs as job/load-r1 (attempt 1, joberrorretry/retry-")
	contains(t, stderr, "job/load-r1 did not succeed: RetryFailed", "kubectl joberrors show job/load-r1")
	_, stderr = plugin(t, "retry", "load", "-n", ns, "--template=Newest").want(t, 2)
	contains(t, stderr, "--template: \"Newest\" must be Current or Original")

	// The Job is deleted, and its records stay.
	if err := cluster.Client.Delete(t.Context(), job, client.PropagationPolicy(metav1.DeletePropagationBackground)); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, func() string {
		out, _ := plugin(t, "show", "job/load-r1", "-n", ns).want(t, 0)
		for _, want := range []string{"retry requested by ", ": again (joberrorretry/retry-", "attempt 1, job/load-r1)", "retry did not succeed: RetryFailed", "of job/load-r1 (application, open)",
			"of job/load (application, open)", "job/load was deleted"} {
			if !strings.Contains(out, want) {
				return want + " is missing in:\n" + out
			}
		}
		return ""
	})
	out, _ = plugin(t, "list", "-n", ns).want(t, 0)
	contains(t, out, "job/load ")
	if strings.Contains(out, "job/load-r1 ") {
		t.Errorf("the retry is a workload of its own:\n%s", out)
	}
	je := cluster.Errors(t, ns)[0]
	out, _ = plugin(t, "show", je.Name, "-n", ns).want(t, 0)
	contains(t, out, "joberror/"+je.Name+"\n", "Code:", "State:     open\n", "kubectl joberrors resolve joberror/"+je.Name)
	out, _ = plugin(t, "show", "load", "-n", ns, "-o", "name").want(t, 0)
	contains(t, out, "job.batch/load-r1\n", "joberror.joberror.io/", "joberrorretry.joberror.io/retry-")
	_, stderr = plugin(t, "show", "unknown", "-n", ns).want(t, 1)
	contains(t, stderr, "neither a Job nor an error")
}

func TestRetryThatSucceeds(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	failing := harness.Job(ns, "nightly-1", harness.Failing("3"))
	cron := harness.Create(t, cluster.Client, &batchv1.CronJob{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "nightly"},
		Spec:       batchv1.CronJobSpec{Schedule: "0 0 1 1 *", JobTemplate: batchv1.JobTemplateSpec{Spec: failing.Spec}},
	})
	failing.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "CronJob", Name: cron.Name, UID: cron.UID, Controller: ptr.To(true)}}
	harness.Create(t, cluster.Client, failing)
	cluster.WaitJobCondition(t, ns, failing.Name, batchv1.JobFailed)
	harness.Eventually(t, func() string {
		if len(cluster.Errors(t, ns)) < 2 {
			return "not all errors are recorded"
		}
		return ""
	})
	// The CronJob is fixed.
	fixed := harness.Get(t, cluster.Client, ns, cron.Name, &batchv1.CronJob{})
	fixed.Spec.JobTemplate.Spec.Template.Annotations = nil
	if err := cluster.Client.Update(t.Context(), fixed); err != nil {
		t.Fatal(err)
	}
	out, stderr := plugin(t, "retry", "nightly-1", "-n", ns, "--wait", "-o", "name").want(t, 0)
	contains(t, out, "joberrorretry.joberror.io/retry-")
	contains(t, stderr, "job/nightly-1-r1 succeeded; 2 errors resolved")
	out, _ = plugin(t, "show", "nightly-1", "-n", ns).want(t, 0)
	contains(t, out, "retry succeeded, and resolved 2 errors", "2 errors resolved by admin (RetrySucceeded)", "kubectl joberrors list")

	_, stderr = plugin(t, "retry", "unknown", "-n", ns).want(t, 1)
	contains(t, stderr, "retry job/unknown: ", "has no Job")
}

func TestWithoutTheAggregatedAPI(t *testing.T) {
	operate(t)
	ns := cluster.Namespace(t)
	for _, name := range []string{"a", "b", "c"} {
		harness.Create(t, cluster.Client, harness.JobError(ns, name, "load"))
	}
	cluster.WaitErrors(t, ns, func(je *joberrorv1.JobError) string { return je.Name }, "a", "b", "c")
	stopOperator(t)
	t.Cleanup(func() { operator = nil })
	harness.Eventually(t, func() string {
		if out := cluster.Kubectl(t, "get", "apiservice", "v1.resolve.joberror.io", "-o", "jsonpath={.status.conditions[0].status}"); out != "False" {
			return "the API server still takes the aggregated API for available"
		}
		return ""
	})

	out, _ := plugin(t, "list", "-n", ns).want(t, 0)
	contains(t, out, "job/load")
	out, _ = plugin(t, "show", "load", "-n", ns).want(t, 0)
	contains(t, out, "joberror/a")
	down := "The aggregated API v1.resolve.joberror.io does not answer"
	out, stderr := plugin(t, "resolve", "joberror/a", "joberror/b", "-n", ns, "--reason=fixed").want(t, 0)
	contains(t, out, "joberror/a resolved\n", "joberror/b resolved\n")
	contains(t, stderr, down, "patched instead", "The reason is not recorded")
	isResolved(t, ns, "b", true)
	_, stderr = plugin(t, "retry", "load", "-n", ns).want(t, 1)
	contains(t, stderr, down, "list, show, watch, and resolve and reopen of named errors work without it")

	_, stderr = plugin(t, "resolve", "load", "-n", ns).want(t, 1)
	contains(t, stderr, down, "The request is stored", "kubectl get jer resolve-")
	isResolved(t, ns, "c", false)
	operate(t)
	harness.Eventually(t, func() string {
		if !harness.Get(t, cluster.Client, ns, "c", &joberrorv1.JobError{}).Spec.Resolved {
			return "the stored request is not carried out"
		}
		return ""
	})
}
