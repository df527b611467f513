// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/test/harness"
)

func TestKubectlDiscoversTheAggregatedAPI(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	createJob(t, ns, "a", "b")
	harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrorsPath(ns, "job")+"/a/resolve", "").Want(t, 201)
	harness.Create(t, cluster.Client, harness.JobError(ns, "ahead", "slow-clock", harness.CreatedAt(time.Now().Add(4*time.Minute))))
	for _, c := range []struct {
		args string
		want []string
	}{
		{"api-resources --api-group=resolve.joberror.io", []string{"jobs", "resolve.joberror.io/v1", "JobSummary"}},
		{"api-resources --api-group=joberror.io", []string{"joberrors", "je", "joberrorresolutions", "jer", "joberrorretries", "jet"}},
		{"get jobs -n " + ns + " -o name", []string{"job.batch/job"}},
		{"get jobs.resolve.joberror.io -n " + ns, []string{"TOTAL", "OPEN", "RESOLVED", "LAST ERROR", "job          2       1      1", "slow-clock   1       1      0          0s"}},
		{"get jobs.resolve.joberror.io -n " + ns + " --field-selector metadata.name=job -o name", []string{"jobsummary.resolve.joberror.io/job"}},
		{"get jobs.resolve.joberror.io -n " + ns + " -l no=such -o yaml", []string{"items: []"}},
		{"get jobs.resolve.joberror.io -A -o wide", []string{"MESSAGE", ns}},
		{"get jobs.resolve.joberror.io job -n " + ns + " -o yaml", []string{"kind: JobSummary", "total: 2"}},
		{"explain jobs --api-version=resolve.joberror.io/v1", []string{"JobSummary summarizes the errors of one job"}},
	} {
		harness.Eventually(t, func() string {
			out, err := cluster.Run(t.Context(), nil, strings.Fields(c.args)...)
			return missing(out, err, c.want...)
		})
	}
	var summary resolvev1.JobSummary
	got := harness.Do(t, cluster.Config(), http.MethodGet, "/apis/resolve.joberror.io/v1/namespaces/"+ns+"/jobs/job", "").Want(t, 200)
	if err := json.Unmarshal(got.Body, &summary); err != nil || summary.Open != 1 || summary.Resolved != 1 {
		t.Errorf("summary = %s, want 1 open and 1 resolved error: %v", got.Body, err)
	}
	harness.Do(t, cluster.Config(), http.MethodGet, "/apis/resolve.joberror.io/v1/namespaces/"+ns+"/jobs/none", "").Want(t, 404)
}

func TestAggregatedAPIHasAnOpenAPISchema(t *testing.T) {
	t.Parallel()
	got := harness.Do(t, cluster.Config(), http.MethodGet, "/openapi/v3/apis/resolve.joberror.io/v1", "").Want(t, 200)
	var document struct {
		Paths      map[string]map[string]any
		Components struct{ Schemas map[string]any }
	}
	if err := json.Unmarshal(got.Body, &document); err != nil {
		t.Fatal(err)
	}
	base := "/apis/resolve.joberror.io/v1/namespaces/{namespace}/jobs"
	for path, verb := range map[string]string{
		base: "get", base + "/{name}": "get", base + "/{name}/joberrors": "get", base + "/{name}/joberrors/{path}": "put",
		base + "/{name}/retry": "post",
	} {
		if document.Paths[path][verb] == nil {
			t.Errorf("the OpenAPI document lacks %s %s", verb, path)
		}
	}
	list, err := json.Marshal(document.Paths[base+"/{name}/joberrors"]["get"])
	for _, parameter := range []string{"limit", "continue", "resolved", "archived", "since", "until"} {
		if err != nil || !strings.Contains(string(list), `"name":"`+parameter+`"`) {
			t.Errorf("the OpenAPI document lacks the parameter %s of a list, %v: %s", parameter, err, list)
		}
	}
	for _, schema := range []string{"io.joberror.resolve.v1.JobSummary", "io.joberror.resolve.v1.ArchivedRecord", "io.joberror.v1.JobErrorResolution", "io.joberror.v1.JobErrorRetry"} {
		if document.Components.Schemas[schema] == nil {
			t.Errorf("the OpenAPI document lacks the schema %s", schema)
		}
	}
	harness.Do(t, cluster.Config(), http.MethodGet, "/openapi/v2", "").Want(t, 200)
}
