// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// job makes a Job with errors of these names and returns the path of its
// errors in the aggregated API.
func job(t *testing.T, ns string, errors ...string) string {
	t.Helper()
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	for _, name := range errors {
		harness.Create(t, cluster.Client, harness.JobError(ns, name, "job"))
	}
	return harness.JobErrorsPath(ns, "job")
}

func TestResolveEveryOpenError(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"no body": "", "an empty object": "{}", "a reason alone": `{"reason":"fixed"}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			path := job(t, ns, "a", "b")
			cluster.Grant(t, ns, "alice", "joberror-resolver")
			alice := cluster.User(t, "alice")
			entry := harness.Do(t, alice, http.MethodPut, path+"/resolve", body).Want(t, 200).Resolution(t)
			if entry.Status.Updated != 2 || !slices.Equal(entry.Status.Errors, []string{"a", "b"}) || entry.Spec.RequestedBy != "alice" ||
				entry.Kind != "JobErrorResolution" || entry.APIVersion != "joberror.io/v1" {
				t.Errorf("entry is %+v", entry)
			}
			if strings.Contains(body, "fixed") != (entry.Spec.Reason == "fixed") {
				t.Errorf("reason is %q", entry.Spec.Reason)
			}
			kept := harness.Get(t, cluster.Client, ns, entry.Name, &joberrorv1.JobErrorResolution{})
			if !meta.IsStatusConditionTrue(kept.Status.Conditions, joberrorv1.ConditionComplete) || kept.UID != entry.UID {
				t.Errorf("the entry that is kept is %+v", kept)
			}
			for _, name := range []string{"a", "b"} {
				je := cluster.WaitFor(t, ns, name, resolved)
				if je.Status.ResolvedBy != "alice" || je.Status.Resolution != entry.Name {
					t.Errorf("%s: %+v", name, je.Status)
				}
			}
			// Repeated, it changes nothing and answers alike.
			again := harness.Do(t, alice, http.MethodPut, path+"/resolve", body).Want(t, 200).Resolution(t)
			if again.Status.Updated != 0 || again.Name != "" || !meta.IsStatusConditionTrue(again.Status.Conditions, joberrorv1.ConditionComplete) {
				t.Errorf("the repeated request's entry is %+v", again)
			}
		})
	}
}

func TestResolveNamedErrors(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"errors", "errorIds"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			path := job(t, ns, "a", "b", "c")
			body := `{"` + field + `":["a","c","unknown"],"reason":"two of them"}`
			entry := harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", body).Want(t, 200).Resolution(t)
			if entry.Status.Updated != 2 || entry.Status.Failed != 1 || entry.Status.Failures[0].Name != "unknown" || entry.Spec.Reason != "two of them" {
				t.Errorf("status is %+v", entry.Status)
			}
			cluster.WaitFor(t, ns, "a", resolved)
			cluster.WaitFor(t, ns, "c", resolved)
			if je := cluster.WaitObserved(t, ns, "b"); je.Spec.Resolved {
				t.Error("b was not named and was resolved")
			}
		})
	}
}

func TestResolveOneError(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "a", "b")
	harness.Create(t, cluster.Client, harness.JobError(ns, "others", "other"))
	entry := harness.Do(t, cluster.Config(), http.MethodPut, path+"/a/resolve", `{"reason":"fixed"}`).Want(t, 201).Resolution(t)
	if entry.Status.Updated != 1 || entry.Spec.Reason != "fixed" || !slices.Equal(entry.Spec.Errors, []string{"a"}) {
		t.Errorf("entry is %+v", entry)
	}
	cluster.WaitFor(t, ns, "a", resolved)
	again := harness.Do(t, cluster.Config(), http.MethodPut, path+"/a/resolve", "").Want(t, 201).Resolution(t)
	if again.Status.Updated != 0 || again.Status.Unchanged != 1 {
		t.Errorf("the repeated request's status is %+v", again.Status)
	}
	for _, name := range []string{"others", "nobodys"} {
		status := harness.Do(t, cluster.Config(), http.MethodPut, path+"/"+name+"/resolve", "").Want(t, 404).Status(t)
		if !strings.Contains(status.Message, name) {
			t.Errorf("message is %q", status.Message)
		}
	}
	for _, name := range []string{"b", "others"} {
		if je := cluster.WaitObserved(t, ns, name); je.Spec.Resolved {
			t.Errorf("%s was resolved", name)
		}
	}
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/a/unresolve", "").Want(t, 201)
	cluster.WaitFor(t, ns, "a", func(je *joberrorv1.JobError) bool { return !resolved(je) })
}

func TestUnresolve(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "a", "b")
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", "").Want(t, 200)
	entry := harness.Do(t, cluster.Config(), http.MethodPut, path+"/unresolve", `{"errors":["b"]}`).Want(t, 200).Resolution(t)
	if entry.Status.Updated != 1 || entry.Spec.WantsResolved() {
		t.Errorf("entry is %+v", entry)
	}
	cluster.WaitFor(t, ns, "a", resolved)
	cluster.WaitFor(t, ns, "b", func(je *joberrorv1.JobError) bool { return !resolved(je) })
}

func TestTheSourcesClientsSendRecordsBack(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "a", "b", "c", "twin-1", "twin-2")
	for _, name := range []string{"twin-1", "twin-2"} {
		err := cluster.Client.Patch(t.Context(), harness.JobError(ns, name, "job"), harness.MergePatch(`{"spec":{"message":"alike"}}`))
		if err != nil {
			t.Fatal(err)
		}
	}
	records := harness.Do(t, cluster.Config(), http.MethodGet, path, "").Want(t, 200).Records(t)
	var back []resolvev1.Record
	for _, r := range records {
		r.Resolved = r.ID == "a" || r.ID == "b" || r.ID == "twin-1"
		if r.ID != "b" {
			r.ID = ""
		}
		back = append(back, r)
	}
	// The two are alike but for when they happened; make them wholly so.
	back = append(back, resolvev1.Record{Message: "nobody's", Resolved: true})
	body, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	entry := harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", string(body)).Want(t, 200).Resolution(t)
	if entry.Status.Updated != 3 || entry.Status.Failed != 1 || entry.Status.Failures[0].Name != "[5]" ||
		harness.Reason(entry.Status.Conditions, joberrorv1.ConditionComplete) != joberrorv1.ReasonSomeFailed {
		t.Errorf("status is %+v", entry.Status)
	}
	for _, name := range []string{"a", "b", "twin-1"} {
		cluster.WaitFor(t, ns, name, resolved)
	}
	for _, name := range []string{"c", "twin-2"} {
		if je := cluster.WaitObserved(t, ns, name); je.Spec.Resolved {
			t.Errorf("%s was sent back unresolved and was resolved", name)
		}
	}
	again := harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", string(body)).Want(t, 200).Resolution(t)
	if again.Status.Updated != 0 || again.Status.Unchanged != 3 {
		t.Errorf("the repeated request's status is %+v", again.Status)
	}
	odd := harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", `[{"_id":"row 17","resolved":true}]`).Want(t, 200).Resolution(t)
	if odd.Status.Failed != 1 || odd.Status.Failures[0].Name != "row 17" {
		t.Errorf("status is %+v", odd.Status)
	}
	none := harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", `[{"message":"message of c","resolved":false}]`).Want(t, 200).Resolution(t)
	if none.Status.Matched != 0 {
		t.Errorf("an array without a resolved record resolved something: %+v", none.Status)
	}
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", `[]`).Want(t, 200)
	if je := cluster.WaitObserved(t, ns, "c"); je.Spec.Resolved {
		t.Error("an array without a resolved record resolved c")
	}
}

func TestADryRunChangesNothing(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "a", "b")
	before := cluster.WaitObserved(t, ns, "a")
	for suffix, code := range map[string]int{"/resolve?dryRun=All": 200, "/a/resolve?dryRun=All": 201} {
		entry := harness.Do(t, cluster.Config(), http.MethodPut, path+suffix, "").Want(t, code).Resolution(t)
		if entry.Status.Updated == 0 || entry.UID != "" {
			t.Errorf("%s: %+v", suffix, entry)
		}
	}
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve?dryRun=maybe", "").Want(t, 422)
	if after := cluster.WaitObserved(t, ns, "a"); after.ResourceVersion != before.ResourceVersion {
		t.Error("a dry run wrote")
	}
	var entries joberrorv1.JobErrorResolutionList
	if err := cluster.Client.List(t.Context(), &entries, inNamespace(ns)); err != nil || len(entries.Items) > 0 {
		t.Errorf("a dry run left entries: %v %v", entries.Items, err)
	}
}

func TestARequestAgainstTheEndpointIsAnsweredClearly(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := job(t, ns, "a")
	deep := strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000)
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		code               int
		message            string
	}{
		"malformed":               {"PUT", path + "/resolve", `{"errors":`, nil, 400, "no valid JSON"},
		"trailing":                {"PUT", path + "/resolve", `{} {}`, nil, 400, "follows"},
		"deep":                    {"PUT", path + "/resolve", deep, nil, 400, "levels deep"},
		"large":                   {"PUT", path + "/resolve", `{"reason":"` + strings.Repeat("x", 5<<20) + `"}`, nil, 413, "4194304 bytes"},
		"many":                    {"PUT", path + "/resolve", "[" + strings.Repeat("{},", 200_000) + "{}]", nil, 413, "300000"},
		"not JSON":                {"PUT", path + "/resolve", "errors: [a]", []string{"Content-Type: application/yaml"}, 415, "application/json"},
		"as a form":               {"PUT", path + "/resolve", "{}", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "application/json"},
		"misspelt":                {"PUT", path + "/resolve", `{"error":["a"]}`, nil, 422, "error"},
		"names no array":          {"PUT", path + "/resolve", `{"errors":"a"}`, nil, 422, "errors"},
		"names no strings":        {"PUT", path + "/resolve", `{"errors":[1]}`, nil, 422, "errors"},
		"no names":                {"PUT", path + "/resolve", `{"errors":[]}`, nil, 422, "errors"},
		"names given twice":       {"PUT", path + "/resolve", `{"errors":["a"],"errors":["b"]}`, nil, 422, "errors"},
		"names null":              {"PUT", path + "/resolve", `{"errors":null}`, nil, 422, "errors"},
		"a bad name":              {"PUT", path + "/resolve", `{"errors":["../a"]}`, nil, 422, "errors[0]"},
		"a scalar":                {"PUT", path + "/resolve", `"all"`, nil, 422, "object or an array"},
		"no record":               {"PUT", path + "/resolve", `[1]`, nil, 422, "[0]"},
		"a mistyped record":       {"PUT", path + "/resolve", `[{"resolved":"yes"}]`, nil, 422, "[0].resolved"},
		"a job that is a path":    {"GET", harness.JobErrorsPath(ns, "%2e%2e"), "", nil, 404, "neither a Job nor a JobError"},
		"an error that is a path": {"PUT", path + "/%2e%2e/resolve", "", nil, 404, ".."},
		"names in one":            {"PUT", path + "/a/resolve", `{"errors":["a"]}`, nil, 422, "errors"},
		"unknown job":             {"PUT", harness.JobErrorsPath(ns, "nojob") + "/resolve", "", nil, 404, "nojob"},
		"unknown job, read":       {"GET", harness.JobErrorsPath(ns, "nojob"), "", nil, 404, "nojob"},
		"unknown path":            {"PUT", path + "/a/b/resolve", "", nil, 404, "resolve"},
		"unknown action":          {"PUT", path + "/solve", "", nil, 404, "resolve"},
		"GET to resolve":          {"GET", path + "/resolve", "", nil, 405, "PUT"},
		"PUT to the list":         {"PUT", path, "", nil, 405, "GET"},
		"DELETE":                  {"DELETE", path + "/resolve", "", nil, 405, ""},
		"a bad limit":             {"GET", path + "?limit=0", "", nil, 422, "limit"},
		"a bad filter":            {"GET", path + "?resolved=maybe", "", nil, 422, "resolved"},
		"a foreign continue":      {"GET", path + "?continue=xyz", "", nil, 400, "continue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status := harness.Do(t, cluster.Config(), c.method, c.path, c.body, c.headers...).Want(t, c.code).Status(t)
			if !strings.Contains(status.Message, c.message) {
				t.Errorf("message %q does not tell of %q", status.Message, c.message)
			}
		})
	}
	t.Cleanup(func() {
		je := &joberrorv1.JobError{}
		err := cluster.Client.Get(context.WithoutCancel(t.Context()), harness.Key(ns, "a"), je)
		if err != nil || je.Spec.Resolved {
			t.Errorf("a refused request resolved the error, or it is gone: %v", err)
		}
	})
}
