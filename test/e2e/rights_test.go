// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
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
	if je := cluster.WaitObserved(t, ns, "a"); je.Spec.Resolved || je.Generation != 1 {
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
	harness.Do(t, tenant, http.MethodPut, harness.JobErrorsPath(mine, "job")+"/theirs/resolve", "").Want(t, 404)
	entry := harness.Do(t, tenant, http.MethodPut, harness.JobErrorsPath(mine, "job")+"/resolve", `{"errors":["theirs"]}`).Want(t, 200).Resolution(t)
	if entry.Status.Updated != 0 || entry.Status.Failed != 1 {
		t.Errorf("status is %+v", entry.Status)
	}
	harness.Do(t, tenant, http.MethodPut, harness.JobErrorsPath(mine, "job")+"/resolve", "").Want(t, 200)
	cluster.WaitFor(t, mine, "mine", resolved)
	if je := cluster.WaitObserved(t, theirs, "theirs"); je.Spec.Resolved {
		t.Error("another namespace's error was resolved")
	}
}

// documented are the rows of the table of rights in docs/api.md: what a user
// with each role may do.
func documented(t *testing.T) map[string]map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(cluster.Root, "docs", "api.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| role in a namespace |")
	if !found {
		t.Fatal("docs/api.md has no table of rights")
	}
	lines := strings.Split(table, "\n")
	actions := cells(lines[0])
	rights := map[string]map[string]bool{}
	for _, line := range lines[2:] {
		row := cells(line)
		if len(row) != len(actions)+1 {
			break
		}
		rights[row[0]] = map[string]bool{}
		for i, action := range actions {
			rights[row[0]][action] = row[i+1] == "yes"
		}
	}
	return rights
}

// cells are those of a table's row, without the marks around them.
func cells(row string) []string {
	parts := strings.Split(strings.Trim(row, "| "), "|")
	for i := range parts {
		parts[i] = strings.Trim(parts[i], " `")
	}
	return parts
}

func TestRolesMayDoWhatTheDocsSay(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "a")
	rights := documented(t)
	if len(rights) != 8 {
		t.Fatalf("the table has %d rows, want 8: %v", len(rights), rights)
	}
	for role, may := range rights {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			user := "with-" + role
			if role != "none" {
				cluster.Grant(t, ns, user, role)
			}
			as, c := cluster.User(t, user), cluster.ClientFor(t, user)
			try := func(action, what string, forbidden bool) {
				t.Helper()
				if want, known := may[action]; !known || forbidden == want {
					t.Errorf("%s may %s (%s): %t, want %t", role, action, what, !forbidden, want)
				}
			}
			request := func(action, method, path, body string) {
				t.Helper()
				try(action, method+" "+path, harness.Do(t, as, method, path, body).Code == http.StatusForbidden)
			}
			call := func(action, what string, err error) {
				t.Helper()
				if err != nil && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
					t.Fatalf("%s %s: %v", role, what, err)
				}
				try(action, what, apierrors.IsForbidden(err))
			}
			je, entry := harness.JobError(ns, "by-"+role, "job"), harness.Resolution(ns, role, "job")
			call("read", "list errors", c.List(t.Context(), &joberrorv1.JobErrorList{}, inNamespace(ns)))
			call("read", "list entries", c.List(t.Context(), &joberrorv1.JobErrorResolutionList{}, inNamespace(ns)))
			call("read", "get an entry", c.Get(t.Context(), harness.Key(ns, role), &joberrorv1.JobErrorResolution{}))
			request("read", http.MethodGet, path, "")
			request("read", http.MethodGet, strings.TrimSuffix(path, "/joberrors"), "")
			request("resolve", http.MethodPut, path+"/a/resolve", "")
			request("resolve", http.MethodPut, path+"/a/unresolve", "")
			request("resolve", http.MethodPut, path+"/resolve", `{"errors":["a"]}`)
			call("resolve", "patch an error", c.Patch(t.Context(), harness.JobError(ns, "a", "job"), harness.MergePatch(`{"spec":{"source":"`+role+`"}}`)))
			call("resolve", "create an entry", c.Create(t.Context(), entry))
			call("report", "create an error", c.Create(t.Context(), je))
			request("report", http.MethodPost, path, `{"message":"by `+role+`"}`)
			call("delete", "delete an error", c.Delete(t.Context(), harness.JobError(ns, "by-"+role, "job")))
			call("delete", "delete an entry", c.Delete(t.Context(), harness.Resolution(ns, role, "job")))
			if err := c.Status().Patch(t.Context(), harness.JobError(ns, "a", "job"), harness.MergePatch(`{"status":{"retryId":"x"}}`)); !apierrors.IsForbidden(err) {
				t.Errorf("%s may write a status: %v", role, err)
			}
		})
	}
}
