// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestWhoMayNotResolveChangesNothing(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "a")
	cluster.Grant(t, ns, "viewer", "joberror-viewer")
	for _, user := range []string{"viewer", "nobody"} {
		as := cluster.User(t, user)
		for _, suffix := range []string{"/resolve", "/a/resolve", "/unresolve", "/a/unresolve", "/resolve?dryRun=All"} {
			harness.Do(t, as, http.MethodPut, path+suffix, "").Want(t, 403).Status(t)
		}
		err := cluster.ClientFor(t, user).Patch(t.Context(), harness.JobError(ns, "a", "job"), harness.MergePatch(`{"spec":{"resolved":true}}`))
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s patches: %v", user, err)
		}
		err = cluster.ClientFor(t, user).Create(t.Context(), harness.Resolution(ns, user, "job"))
		if !apierrors.IsForbidden(err) {
			t.Errorf("%s creates an entry: %v", user, err)
		}
	}
	harness.Do(t, cluster.User(t, "viewer"), http.MethodGet, path, "").Want(t, 200)
	harness.Do(t, cluster.User(t, "nobody"), http.MethodGet, path, "").Want(t, 403)
	if je := cluster.Settled(t, ns, "a"); je.Spec.Resolved || je.Generation != 1 {
		t.Error("the error was changed")
	}
	var entries joberrorv1.JobErrorResolutionList
	if err := cluster.Client.List(t.Context(), &entries, inNamespace(ns)); err != nil || len(entries.Items) > 0 {
		t.Errorf("a refused request left entries: %v %v", entries.Items, err)
	}
}

func TestAUserOfOneNamespaceReachesNothingInAnother(t *testing.T) {
	t.Parallel()
	mine, theirs := cluster.Namespace(t), cluster.Namespace(t)
	job(t, mine, "mine")
	theirPath := job(t, theirs, "theirs")
	cluster.Grant(t, mine, "tenant", "admin")
	tenant := cluster.User(t, "tenant")
	harness.Do(t, tenant, http.MethodPut, theirPath+"/resolve", "").Want(t, 403)
	harness.Do(t, tenant, http.MethodGet, theirPath, "").Want(t, 403)
	harness.Do(t, tenant, http.MethodPut, harness.JobErrors(mine, "job")+"/theirs/resolve", "").Want(t, 404)
	entry := harness.Do(t, tenant, http.MethodPut, harness.JobErrors(mine, "job")+"/resolve", `{"errors":["theirs"]}`).Want(t, 200).Entry(t)
	if entry.Status.Updated != 0 || entry.Status.Failed != 1 {
		t.Errorf("status is %+v", entry.Status)
	}
	harness.Do(t, tenant, http.MethodPut, harness.JobErrors(mine, "job")+"/resolve", "").Want(t, 200)
	cluster.When(t, mine, "mine", resolved)
	if je := cluster.Settled(t, theirs, "theirs"); je.Spec.Resolved {
		t.Error("another namespace's error was resolved")
	}
}

func TestPeoplesRoles(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "a")
	const yes, no = true, false
	for role, may := range map[string]struct{ read, resolve, report, remove bool }{
		"joberror-viewer":   {yes, no, no, no},
		"joberror-resolver": {no, yes, no, no},
		"joberror-reporter": {no, no, yes, no},
		"joberror-admin":    {yes, yes, yes, yes},
		"view":              {yes, no, no, no},
		"edit":              {yes, yes, yes, no},
		"admin":             {yes, yes, yes, yes},
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			user := "with-" + role
			cluster.Grant(t, ns, user, role)
			as, c := cluster.User(t, user), cluster.ClientFor(t, user)
			check := func(what string, allowed, want bool) {
				t.Helper()
				if allowed != want {
					t.Errorf("%s may %s: %t, want %t", role, what, allowed, want)
				}
			}
			harnessAllowed := func(method, suffix string) bool {
				return harness.Do(t, as, method, path+suffix, "").Code != http.StatusForbidden
			}
			check("list", c.List(t.Context(), &joberrorv1.JobErrorList{}, inNamespace(ns)) == nil, may.read)
			check("GET the records", harnessAllowed(http.MethodGet, ""), may.read)
			check("PUT resolve", harnessAllowed(http.MethodPut, "/a/resolve"), may.resolve)
			check("patch", c.Patch(t.Context(), harness.JobError(ns, "a", "job"), harness.MergePatch(`{"spec":{"source":"`+role+`"}}`)) == nil, may.resolve)
			check("create an entry", c.Create(t.Context(), harness.Resolution(ns, role, "job")) == nil, may.resolve)
			check("report", c.Create(t.Context(), harness.JobError(ns, "by-"+role, "job")) == nil, may.report)
			check("delete", !apierrors.IsForbidden(c.Delete(t.Context(), harness.JobError(ns, "by-"+role, "job"))), may.remove)
		})
	}
}
