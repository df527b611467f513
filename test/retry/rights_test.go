// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// attempts are the three ways to request a retry. Each returns the API server's refusal; empty
// if it accepted the request.
var attempts = map[string]func(t *testing.T, ns, user string) string{
	"endpoint": func(t *testing.T, ns, user string) string {
		return refusal(t, post(t, cluster.User(t, user), ns, "import", ""))
	},
	"alias": func(t *testing.T, ns, user string) string {
		return refusal(t, harness.Do(t, cluster.User(t, user), http.MethodPut, harness.JobErrorsPath(ns, "import")+"/retry", ""))
	},
	"object": func(t *testing.T, ns, user string) string {
		jet := retryOf(ns, "again", "import")
		err := cluster.ClientFor(t, user).Create(t.Context(), jet)
		if err != nil {
			return err.Error()
		}
		if jet.Spec.RequestedBy != user {
			t.Errorf("requestedBy = %q, want %s", jet.Spec.RequestedBy, user)
		}
		return ""
	},
}

func refusal(t *testing.T, r harness.Response) string {
	t.Helper()
	if r.Code < 300 {
		return ""
	}
	return r.Want(t, 403).Status(t).Message
}

// createJobs grants a user to create Jobs by hand.
func createJobs(t *testing.T, ns, user string) {
	t.Helper()
	harness.Create(t, cluster.Client, &rbacv1.Role{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "jobs"},
		Rules:      []rbacv1.PolicyRule{{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, Verbs: []string{"create"}}},
	})
	harness.Create(t, cluster.Client, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: "jobs"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "jobs"},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user}},
	})
}

func TestWhoMayRetry(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		roles []string
		jobs  bool
		// refused holds what each refusal contains; an attempt that is missing is accepted.
		refused map[string]string
	}{
		"a resolver": {roles: []string{"joberror-resolver"}, refused: map[string]string{
			"endpoint": `cannot create resource "jobs/retry"`, "alias": `cannot create resource "jobs/retry"`, "object": `cannot create resource "joberrorretries"`,
		}},
		"a resolver who may create Jobs": {roles: []string{"joberror-resolver"}, jobs: true, refused: map[string]string{
			"endpoint": `cannot create resource "jobs/retry"`, "alias": `cannot create resource "jobs/retry"`, "object": `cannot create resource "joberrorretries"`,
		}},
		"a retrier who may not create Jobs": {roles: []string{"joberror-retrier", "joberror-resolver"}, refused: map[string]string{
			"endpoint": `cannot create resource "jobs" in API group "batch"`, "alias": `cannot create resource "jobs" in API group "batch"`,
			"object": `cannot create resource 'jobs'`,
		}},
		"a retrier who may create Jobs": {roles: []string{"joberror-retrier"}, jobs: true, refused: map[string]string{
			"alias": `cannot update resource "jobs/joberrors"`,
		}},
		"who may edit": {roles: []string{"edit"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for attempt, request := range attempts {
				ns := cluster.Namespace(t)
				failedJob(t, ns, "import")
				for _, role := range tc.roles {
					cluster.Grant(t, ns, "eve", role)
				}
				if tc.jobs {
					createJobs(t, ns, "eve")
				}
				other := cluster.Namespace(t)
				failedJob(t, other, "import")
				if message := request(t, other, "eve"); message == "" {
					t.Errorf("%s: accepted in another namespace", attempt)
				}
				want := tc.refused[attempt]
				if message := request(t, ns, "eve"); want == "" && message != "" || want != "" && !strings.Contains(message, want) {
					t.Errorf("%s: refused with %q, want %q", attempt, message, want)
				}
			}
		})
	}
}

// The Job that a dry run returns may hold what only readers of Jobs may see.
func TestADryRunNeedsTheRightToReadJobs(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	cluster.Grant(t, ns, "eve", "joberror-retrier")
	createJobs(t, ns, "eve")
	status := harness.Do(t, cluster.User(t, "eve"), http.MethodPost, retryPath(ns, "import")+"?dryRun=All", "").Want(t, 403).Status(t)
	if !strings.Contains(status.Message, `cannot get resource "jobs" in API group "batch"`) {
		t.Errorf("message = %q, want the right that is missing", status.Message)
	}
}

func TestNobodyRetriesInAnothersName(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	failedJob(t, ns, "import")
	cluster.Grant(t, ns, "eve", "edit")
	jet := retryOf(ns, "again", "import", func(spec *joberrorv1.JobErrorRetrySpec) { spec.RequestedBy = "alice" })
	if err := cluster.ClientFor(t, "eve").Create(t.Context(), jet); err == nil || !strings.Contains(err.Error(), "spec.requestedBy") {
		t.Errorf("create in another user's name: %v", err)
	}
	jet = retryOf(ns, "again", "import")
	eve := cluster.ClientFor(t, "eve")
	harness.Create(t, eve, jet)
	awaitRetry(t, ns, "again", hasStarted)
	// Even with the right to the subresource.
	cluster.Kubectl(t, "create", "role", "status", "-n", ns, "--verb=get,patch", "--resource=joberrorretries.joberror.io/status")
	cluster.Kubectl(t, "create", "rolebinding", "status", "-n", ns, "--role=status", "--user=eve")
	harness.Eventually(t, func() string {
		err := eve.Status().Patch(t.Context(), jet.DeepCopy(), harness.MergePatch(`{"status":{"resolved":7}}`))
		if err == nil || !strings.Contains(err.Error(), "status: only the operator may write it") {
			return fmt.Sprintf("write the status: %v", err)
		}
		return ""
	})
	je := awaitErrors(t, ns, "import")[0]
	if err := eve.Patch(t.Context(), &je, harness.MergePatch(`{"metadata":{"labels":{"joberror.io/lineage":"x"}}}`)); err == nil || !strings.Contains(err.Error(), "labels[joberror.io/lineage]") {
		t.Errorf("set the lineage of an error: %v", err)
	}
}

func TestNobodyForgesTheMarksOfARetry(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cluster.Grant(t, ns, "eve", "edit")
	eve := cluster.ClientFor(t, "eve")
	for _, key := range []string{joberrorv1.AnnotationRetryOf, joberrorv1.AnnotationRetry, joberrorv1.AnnotationHeld} {
		err := eve.Create(t.Context(), harness.Job(ns, "forged", harness.Annotated(key, "x")))
		if err == nil || !strings.Contains(err.Error(), "annotations["+key+"]") {
			t.Errorf("create a Job with %s: %v", key, err)
		}
	}
	job := harness.Create(t, eve, harness.Job(ns, "own"))
	err := eve.Patch(t.Context(), job, harness.MergePatch(`{"metadata":{"labels":{"joberror.io/lineage":"x"}}}`))
	if err == nil || !strings.Contains(err.Error(), "labels[joberror.io/lineage]") {
		t.Errorf("set the lineage of a Job: %v", err)
	}
}
