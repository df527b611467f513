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

// createJob creates the Job job with errors of these names. It returns the path of the
// errors in the aggregated API.
func createJob(t *testing.T, ns string, names ...string) string {
	t.Helper()
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	for _, name := range names {
		harness.Create(t, cluster.Client, harness.JobError(ns, name, "job"))
	}
	return harness.JobErrorsPath(ns, "job")
}

func TestEndpointResolvesEveryOpenError(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{"no body": "", "an empty object": "{}", "only a reason": `{"reason":"fixed"}`} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			path := createJob(t, ns, "a", "b")
			cluster.Grant(t, ns, "alice", "joberror-resolver")
			alice := cluster.User(t, "alice")
			jer := harness.Do(t, alice, http.MethodPut, path+"/resolve", body).Want(t, 200).Resolution(t)
			if jer.Status.Updated != 2 || !slices.Equal(jer.Status.Errors, []string{"a", "b"}) || jer.Spec.RequestedBy != "alice" ||
				jer.Kind != "JobErrorResolution" || jer.APIVersion != "joberror.io/v1" {
				t.Errorf("resolution = %+v, want a and b updated by alice", jer)
			}
			if strings.Contains(body, "fixed") != (jer.Spec.Reason == "fixed") {
				t.Errorf("reason = %q for the body %q", jer.Spec.Reason, body)
			}
			stored := harness.Get(t, cluster.Client, ns, jer.Name, &joberrorv1.JobErrorResolution{})
			if !meta.IsStatusConditionTrue(stored.Status.Conditions, joberrorv1.ConditionComplete) || stored.UID != jer.UID {
				t.Errorf("stored resolution = %+v, want the returned one, complete", stored)
			}
			for _, name := range []string{"a", "b"} {
				je := cluster.WaitFor(t, ns, name, isResolved)
				if je.Status.ResolvedBy != "alice" || je.Status.Resolution != jer.Name {
					t.Errorf("status of %s = %+v, want it resolved by alice with %s", name, je.Status, jer.Name)
				}
			}
			// A repeated request changes nothing and stores no resolution.
			again := harness.Do(t, alice, http.MethodPut, path+"/resolve", body).Want(t, 200).Resolution(t)
			if again.Status.Updated != 0 || again.Name != "" || !meta.IsStatusConditionTrue(again.Status.Conditions, joberrorv1.ConditionComplete) {
				t.Errorf("resolution of the repeated request = %+v, want it complete, with no name and nothing updated", again)
			}
		})
	}
}

func TestEndpointResolvesNamedErrors(t *testing.T) {
	t.Parallel()
	for _, field := range []string{"errors", "errorIds"} {
		t.Run(field, func(t *testing.T) {
			t.Parallel()
			ns := cluster.Namespace(t)
			path := createJob(t, ns, "a", "b", "c")
			body := `{"` + field + `":["a","c","unknown"],"reason":"two of them"}`
			jer := harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", body).Want(t, 200).Resolution(t)
			if jer.Status.Updated != 2 || jer.Status.Failed != 1 || jer.Status.Failures[0].Name != "unknown" || jer.Spec.Reason != "two of them" {
				t.Errorf("resolution = %+v, want 2 updated and unknown failed", jer)
			}
			cluster.WaitFor(t, ns, "a", isResolved)
			cluster.WaitFor(t, ns, "c", isResolved)
			if je := cluster.WaitObserved(t, ns, "b"); je.Spec.Resolved {
				t.Error("b was resolved, but the request did not name it")
			}
		})
	}
}

func TestEndpointResolvesOneError(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "a", "b")
	harness.Create(t, cluster.Client, harness.JobError(ns, "others", "other"))
	jer := harness.Do(t, cluster.Config(), http.MethodPut, path+"/a/resolve", `{"reason":"fixed"}`).Want(t, 201).Resolution(t)
	if jer.Status.Updated != 1 || jer.Spec.Reason != "fixed" || !slices.Equal(jer.Spec.Errors, []string{"a"}) {
		t.Errorf("resolution = %+v, want only a updated", jer)
	}
	cluster.WaitFor(t, ns, "a", isResolved)
	again := harness.Do(t, cluster.Config(), http.MethodPut, path+"/a/resolve", "").Want(t, 201).Resolution(t)
	if again.Status.Updated != 0 || again.Status.Unchanged != 1 {
		t.Errorf("status of the repeated request = %+v, want 1 unchanged", again.Status)
	}
	for _, name := range []string{"others", "nobodys"} {
		status := harness.Do(t, cluster.Config(), http.MethodPut, path+"/"+name+"/resolve", "").Want(t, 404).Status(t)
		if !strings.Contains(status.Message, name) {
			t.Errorf("message = %q, want it to name %s", status.Message, name)
		}
	}
	for _, name := range []string{"b", "others"} {
		if je := cluster.WaitObserved(t, ns, name); je.Spec.Resolved {
			t.Errorf("%s was resolved, want only a", name)
		}
	}
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/a/unresolve", "").Want(t, 201)
	cluster.WaitFor(t, ns, "a", func(je *joberrorv1.JobError) bool { return !isResolved(je) })
}

func TestEndpointReopensErrors(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "a", "b")
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", "").Want(t, 200)
	jer := harness.Do(t, cluster.Config(), http.MethodPut, path+"/unresolve", `{"errors":["b"]}`).Want(t, 200).Resolution(t)
	if jer.Status.Updated != 1 || jer.Spec.WantsResolved() {
		t.Errorf("resolution = %+v, want one error reopened", jer)
	}
	cluster.WaitFor(t, ns, "a", isResolved)
	cluster.WaitFor(t, ns, "b", func(je *joberrorv1.JobError) bool { return !isResolved(je) })
}

func TestEndpointResolvesRecordsSentBack(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "a", "b", "c", "twin-1", "twin-2")
	for _, name := range []string{"twin-1", "twin-2"} {
		err := cluster.Client.Patch(t.Context(), harness.JobError(ns, name, "job"), harness.MergePatch(`{"spec":{"message":"alike"}}`))
		if err != nil {
			t.Fatal(err)
		}
	}
	records := harness.Do(t, cluster.Config(), http.MethodGet, path, "").Want(t, 200).Records(t)
	var edited []resolvev1.Record
	for _, r := range records {
		r.Resolved = r.ID == "a" || r.ID == "b" || r.ID == "twin-1"
		if r.ID != "b" {
			r.ID = ""
		}
		edited = append(edited, r)
	}
	// The last record matches no error.
	edited = append(edited, resolvev1.Record{Message: "unknown", Resolved: true})
	body, err := json.Marshal(edited)
	if err != nil {
		t.Fatal(err)
	}
	jer := harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", string(body)).Want(t, 200).Resolution(t)
	if jer.Status.Updated != 3 || jer.Status.Failed != 1 || jer.Status.Failures[0].Name != "[5]" ||
		harness.Reason(jer.Status.Conditions, joberrorv1.ConditionComplete) != joberrorv1.ReasonSomeFailed {
		t.Errorf("status = %+v, want 3 updated and record 5 failed", jer.Status)
	}
	for _, name := range []string{"a", "b", "twin-1"} {
		cluster.WaitFor(t, ns, name, isResolved)
	}
	for _, name := range []string{"c", "twin-2"} {
		if je := cluster.WaitObserved(t, ns, name); je.Spec.Resolved {
			t.Errorf("%s was resolved, but its record was sent back unresolved", name)
		}
	}
	again := harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", string(body)).Want(t, 200).Resolution(t)
	if again.Status.Updated != 0 || again.Status.Unchanged != 3 {
		t.Errorf("status of the repeated request = %+v, want 3 unchanged", again.Status)
	}
	invalid := harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", `[{"_id":"row 17","resolved":true}]`).Want(t, 200).Resolution(t)
	if invalid.Status.Failed != 1 || invalid.Status.Failures[0].Name != "row 17" {
		t.Errorf("status = %+v, want row 17 failed", invalid.Status)
	}
	none := harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", `[{"message":"message of c","resolved":false}]`).Want(t, 200).Resolution(t)
	if none.Status.Matched != 0 {
		t.Errorf("status of an array without a resolved record = %+v, want 0 matched", none.Status)
	}
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve", `[]`).Want(t, 200)
	if je := cluster.WaitObserved(t, ns, "c"); je.Spec.Resolved {
		t.Error("an array without a resolved record resolved c")
	}
}

func TestResolveDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "a", "b")
	before := cluster.WaitFor(t, ns, "a", withLinkReason(joberrorv1.ReasonJobFound))
	for suffix, code := range map[string]int{"/resolve?dryRun=All": 200, "/a/resolve?dryRun=All": 201} {
		jer := harness.Do(t, cluster.Config(), http.MethodPut, path+suffix, "").Want(t, code).Resolution(t)
		if jer.Status.Updated == 0 || jer.UID != "" {
			t.Errorf("dry run of %s: resolution = %+v, want errors updated and no UID", suffix, jer)
		}
	}
	harness.Do(t, cluster.Config(), http.MethodPut, path+"/resolve?dryRun=maybe", "").Want(t, 422)
	if after := cluster.WaitObserved(t, ns, "a"); after.ResourceVersion != before.ResourceVersion {
		t.Error("a dry run changed the error")
	}
	var jers joberrorv1.JobErrorResolutionList
	if err := cluster.Client.List(t.Context(), &jers, inNamespace(ns)); err != nil || len(jers.Items) > 0 {
		t.Errorf("resolutions after dry runs = %v, want none: %v", jers.Items, err)
	}
}

func TestEndpointExplainsEachRefusal(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns, "a")
	deep := strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000)
	for name, c := range map[string]struct {
		method, path, body string
		headers            []string
		code               int
		message            string
	}{
		"malformed":                {"PUT", path + "/resolve", `{"errors":`, nil, 400, "not valid JSON"},
		"data after the body":      {"PUT", path + "/resolve", `{} {}`, nil, 400, "follows"},
		"nested too deep":          {"PUT", path + "/resolve", deep, nil, 400, "levels deep"},
		"body too large":           {"PUT", path + "/resolve", `{"reason":"` + strings.Repeat("x", 5<<20) + `"}`, nil, 413, "4194304 bytes"},
		"too many values":          {"PUT", path + "/resolve", "[" + strings.Repeat("{},", 200_000) + "{}]", nil, 413, "300000"},
		"YAML":                     {"PUT", path + "/resolve", "errors: [a]", []string{"Content-Type: application/yaml"}, 415, "application/json"},
		"a form":                   {"PUT", path + "/resolve", "{}", []string{"Content-Type: application/x-www-form-urlencoded"}, 415, "application/json"},
		"an unknown field":         {"PUT", path + "/resolve", `{"error":["a"]}`, nil, 422, "error"},
		"names not an array":       {"PUT", path + "/resolve", `{"errors":"a"}`, nil, 422, "errors"},
		"names not strings":        {"PUT", path + "/resolve", `{"errors":[1]}`, nil, 422, "errors"},
		"no names":                 {"PUT", path + "/resolve", `{"errors":[]}`, nil, 422, "errors"},
		"names given twice":        {"PUT", path + "/resolve", `{"errors":["a"],"errors":["b"]}`, nil, 422, "errors"},
		"names null":               {"PUT", path + "/resolve", `{"errors":null}`, nil, 422, "errors"},
		"an invalid name":          {"PUT", path + "/resolve", `{"errors":["../a"]}`, nil, 422, "errors[0]"},
		"a scalar":                 {"PUT", path + "/resolve", `"all"`, nil, 422, "object or an array"},
		"not a record":             {"PUT", path + "/resolve", `[1]`, nil, 422, "[0]"},
		"a record of a wrong type": {"PUT", path + "/resolve", `[{"resolved":"yes"}]`, nil, 422, "[0].resolved"},
		"a Job that is a path":     {"GET", harness.JobErrorsPath(ns, "%2e%2e"), "", nil, 404, "neither a Job nor a JobError"},
		"an error that is a path":  {"PUT", path + "/%2e%2e/resolve", "", nil, 404, ".."},
		"names for one error":      {"PUT", path + "/a/resolve", `{"errors":["a"]}`, nil, 422, "errors"},
		"unknown Job":              {"PUT", harness.JobErrorsPath(ns, "nojob") + "/resolve", "", nil, 404, "nojob"},
		"list of an unknown Job":   {"GET", harness.JobErrorsPath(ns, "nojob"), "", nil, 404, "nojob"},
		"unknown path":             {"PUT", path + "/a/b/resolve", "", nil, 404, "resolve"},
		"unknown action":           {"PUT", path + "/solve", "", nil, 404, "resolve"},
		"GET to resolve":           {"GET", path + "/resolve", "", nil, 405, "PUT"},
		"PUT to the list":          {"PUT", path, "", nil, 405, "GET"},
		"DELETE":                   {"DELETE", path + "/resolve", "", nil, 405, ""},
		"an invalid limit":         {"GET", path + "?limit=0", "", nil, 422, "limit"},
		"an invalid filter":        {"GET", path + "?resolved=maybe", "", nil, 422, "resolved"},
		"an invalid continue":      {"GET", path + "?continue=xyz", "", nil, 400, "continue"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status := harness.Do(t, cluster.Config(), c.method, c.path, c.body, c.headers...).Want(t, c.code).Status(t)
			if !strings.Contains(status.Message, c.message) {
				t.Errorf("message = %q, want %q", status.Message, c.message)
			}
		})
	}
	t.Cleanup(func() {
		je := &joberrorv1.JobError{}
		err := cluster.Client.Get(context.WithoutCancel(t.Context()), harness.Key(ns, "a"), je)
		if err != nil || je.Spec.Resolved {
			t.Errorf("a refused request resolved or deleted the error: %v", err)
		}
	})
}
