// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/certs"
	"joberror.io/operator/test/harness"
)

func TestUnauthorizedUsersChangeNothing(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "a")
	before := cluster.WaitObserved(t, ns, "a")
	cluster.Grant(t, ns, "viewer", "joberror-viewer")
	for _, user := range []string{"viewer", "nobody"} {
		config := cluster.User(t, user)
		for _, suffix := range []string{"/resolve", "/a/resolve", "/unresolve", "/a/unresolve", "/resolve?dryRun=All"} {
			harness.Do(t, config, http.MethodPut, path+suffix, "").Want(t, 403).Status(t)
		}
		err := cluster.ClientFor(t, user).Patch(t.Context(), harness.JobError(ns, "a", "job"), harness.MergePatch(`{"spec":{"resolved":true}}`))
		if !apierrors.IsForbidden(err) {
			t.Errorf("patch as %s: error = %v, want Forbidden", user, err)
		}
		err = cluster.ClientFor(t, user).Create(t.Context(), harness.Resolution(ns, user, "job"))
		if !apierrors.IsForbidden(err) {
			t.Errorf("create a resolution as %s: error = %v, want Forbidden", user, err)
		}
	}
	harness.Do(t, cluster.User(t, "viewer"), http.MethodGet, path, "").Want(t, 200)
	harness.Do(t, cluster.User(t, "nobody"), http.MethodGet, path, "").Want(t, 403)
	if je := cluster.WaitObserved(t, ns, "a"); je.Spec.Resolved || je.Generation != before.Generation {
		t.Error("a refused request changed the error")
	}
	var jers joberrorv1.JobErrorResolutionList
	if err := cluster.Client.List(t.Context(), &jers, inNamespace(ns)); err != nil || len(jers.Items) > 0 {
		t.Errorf("resolutions after refused requests = %v, want none: %v", jers.Items, err)
	}
}

func TestUserReachesNothingInAnotherNamespace(t *testing.T) {
	t.Parallel()
	mine, theirs := cluster.Namespace(t), cluster.Namespace(t)
	createJob(t, mine, "mine")
	theirPath := createJob(t, theirs, "theirs")
	cluster.Grant(t, mine, "tenant", "admin")
	tenant := cluster.User(t, "tenant")
	harness.Do(t, tenant, http.MethodPut, theirPath+"/resolve", "").Want(t, 403)
	harness.Do(t, tenant, http.MethodGet, theirPath, "").Want(t, 403)
	harness.Do(t, tenant, http.MethodPut, harness.JobErrorsPath(mine, "job")+"/theirs/resolve", "").Want(t, 404)
	jer := harness.Do(t, tenant, http.MethodPut, harness.JobErrorsPath(mine, "job")+"/resolve", `{"errors":["theirs"]}`).Want(t, 200).Resolution(t)
	if jer.Status.Updated != 0 || jer.Status.Failed != 1 {
		t.Errorf("status = %+v, want 0 updated and 1 failed", jer.Status)
	}
	harness.Do(t, tenant, http.MethodPut, harness.JobErrorsPath(mine, "job")+"/resolve", "").Want(t, 200)
	cluster.WaitFor(t, mine, "mine", isResolved)
	if je := cluster.WaitObserved(t, theirs, "theirs"); je.Spec.Resolved {
		t.Error("an error of another namespace was resolved")
	}
}

func TestOperatorReadsOnlyItsOwnSecret(t *testing.T) {
	t.Parallel()
	other := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: attribution.OperatorNamespace, Name: "other"}}
	if err := cluster.Client.Create(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	operator := cluster.ClientFor(t, attribution.OperatorUser)
	list := func(options ...client.ListOption) error {
		return operator.List(t.Context(), &corev1.SecretList{}, append(options, client.InNamespace(other.Namespace))...)
	}
	for attempt, err := range map[string]error{
		"list all":       list(),
		"list another":   list(client.MatchingFields{"metadata.name": other.Name}),
		"get another":    operator.Get(t.Context(), client.ObjectKeyFromObject(other), &corev1.Secret{}),
		"update another": operator.Update(t.Context(), other.DeepCopy()),
		"delete its own": operator.Delete(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: other.Namespace, Name: certs.SecretName}}),
		"list its own":   list(client.MatchingFields{"metadata.name": certs.SecretName}),
	} {
		if allowed := attempt == "list its own"; apierrors.IsForbidden(err) == allowed || allowed && err != nil {
			t.Errorf("%s: error = %v, want it allowed: %t", attempt, err, allowed)
		}
	}
}

// documentedRights reads the table of rights in docs/api.md. It returns the actions that
// each role allows.
func documentedRights(t *testing.T) map[string]map[string]bool {
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
	actions := tableCells(lines[0])
	rights := map[string]map[string]bool{}
	for _, line := range lines[2:] {
		row := tableCells(line)
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

// tableCells returns the cells of a table row without the Markdown around them.
func tableCells(row string) []string {
	parts := strings.Split(strings.Trim(row, "| "), "|")
	for i := range parts {
		parts[i] = strings.Trim(parts[i], " `")
	}
	return parts
}

// The table in docs/api.md says that the role edit may not delete errors.
func TestEditingAJobDeletesNoError(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cluster.Grant(t, ns, "editor", "edit")
	editor := cluster.ClientFor(t, "editor")
	job := harness.Create(t, editor, harness.Job(ns, "job",
		harness.Annotated(joberrorv1.AnnotationRetention, "1s"), harness.Annotated(joberrorv1.AnnotationDeletionPolicy, joberrorv1.DeletionPolicyCascade)))
	harness.Create(t, editor, harness.JobError(ns, "e", "job", harness.CreatedAt(time.Now().Add(-time.Hour))))
	refused := []string{"1s is shorter than the minimum, so the minimum of 1d applies", "Cascade has no effect"}
	cluster.WaitFor(t, ns, "e", withLinkReason(joberrorv1.ReasonJobFound))
	harness.Eventually(t, func() string {
		out, err := cluster.Run(t.Context(), nil, "events", "-n", ns, "--for", "job/job")
		return missing(out, err, append(refused, "RetentionTooShort", "CascadeNotAllowed")...)
	})
	if problem := missing(cluster.Kubectl(t, "describe", "joberror", "e", "-n", ns), nil, refused...); problem != "" {
		t.Error(problem)
	}
	if err := editor.Delete(t.Context(), job, client.PropagationPolicy("Foreground")); err != nil {
		t.Fatal(err)
	}
	je := cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool {
		return withLinkReason(joberrorv1.ReasonJobDeleted)(je) && slices.Equal(harness.OwnerKinds(je), []string{"Namespace"})
	})
	if left := time.Until(je.Status.ExpiresAt.Time); left < 22*time.Hour {
		t.Errorf("the error expires in %s, want a day after its createdAt", left)
	}
}

func TestRolesMatchTheDocs(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "a")
	rights := documentedRights(t)
	if len(rights) != 10 {
		t.Fatalf("table of rights has %d rows, want 10: %v", len(rights), rights)
	}
	for role, allowed := range rights {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			user := "with-" + role
			if role != "none" {
				cluster.Grant(t, ns, user, role)
			}
			config, c := cluster.User(t, user), cluster.ClientFor(t, user)
			check := func(action, attempt string, forbidden bool) {
				t.Helper()
				if want, documented := allowed[action]; !documented || forbidden == want {
					t.Errorf("%s is allowed to %s (%s) = %t, want %t", role, action, attempt, !forbidden, want)
				}
			}
			checkRequest := func(action, method, path, body string) {
				t.Helper()
				check(action, method+" "+path, harness.Do(t, config, method, path, body).Code == http.StatusForbidden)
			}
			checkError := func(action, attempt string, err error) {
				t.Helper()
				if err != nil && !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
					t.Fatalf("%s as %s: %v", attempt, role, err)
				}
				check(action, attempt, apierrors.IsForbidden(err))
			}
			je, jer := harness.JobError(ns, "by-"+role, "job"), harness.Resolution(ns, role, "job")
			checkError("read", "list errors", c.List(t.Context(), &joberrorv1.JobErrorList{}, inNamespace(ns)))
			checkError("follow", "list resolutions", c.List(t.Context(), &joberrorv1.JobErrorResolutionList{}, inNamespace(ns)))
			checkError("follow", "get a resolution", c.Get(t.Context(), harness.Key(ns, role), &joberrorv1.JobErrorResolution{}))
			checkRequest("read", http.MethodGet, path, "")
			checkRequest("read", http.MethodGet, strings.TrimSuffix(path, "/joberrors"), "")
			checkRequest("resolve", http.MethodPut, path+"/a/resolve", "")
			checkRequest("resolve", http.MethodPut, path+"/a/unresolve", "")
			checkRequest("resolve", http.MethodPut, path+"/resolve", `{"errors":["a"]}`)
			checkError("resolve", "patch an error", c.Patch(t.Context(), harness.JobError(ns, "a", "job"), harness.MergePatch(`{"spec":{"source":"`+role+`"}}`)))
			checkError("resolve", "create a resolution", c.Create(t.Context(), jer))
			checkError("report", "create an error", c.Create(t.Context(), je))
			checkRequest("report", http.MethodPost, path, `{"message":"by `+role+`"}`)
			jet := &joberrorv1.JobErrorRetry{ObjectMeta: metav1.ObjectMeta{Namespace: ns, Name: role}, Spec: joberrorv1.JobErrorRetrySpec{JobID: "job"}}
			checkError("read", "list retries", c.List(t.Context(), &joberrorv1.JobErrorRetryList{}, inNamespace(ns)))
			checkRequest("retry", http.MethodPost, strings.TrimSuffix(path, "joberrors")+"retry", "")
			checkRequest("retry", http.MethodPut, path+"/retry", "")
			checkError("retry", "create a retry", c.Create(t.Context(), jet))
			checkError("delete", "delete a retry", c.Delete(t.Context(), jet.DeepCopy()))
			checkError("delete", "delete an error", c.Delete(t.Context(), harness.JobError(ns, "by-"+role, "job")))
			checkError("delete", "delete a resolution", c.Delete(t.Context(), harness.Resolution(ns, role, "job")))
			captured := harness.JobError(ns, "restored-by-"+role, "job")
			captured.Labels = map[string]string{joberrorv1.LabelCaptured: joberrorv1.Captured}
			checkError("restore", "create a captured error", c.Create(t.Context(), captured))
			checkError("restore", "patch a status", c.Status().Patch(t.Context(), harness.JobError(ns, "a", "job"), harness.MergePatch(`{"status":{"retryId":"x"}}`)))
		})
	}
}
