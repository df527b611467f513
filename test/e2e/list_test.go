// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func inNamespace(ns string) client.ListOption { return client.InNamespace(ns) }

func TestListsRecordsInTheSourceFormat(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	path := createJob(t, ns)
	full := joberrorv1.JobErrorSpec{
		UserID: "u1", JobID: "job", CreatedAt: "2026-11-20T10:00:00.123Z", Resolved: true, Code: "c", Extract: "e", Generate: "g",
		Extracted: "ed", Generated: "gd", Message: "m", Source: "s",
	}
	full.CreatedAt = anHourAgo()
	harness.Create(t, cluster.Client, harness.JobError(ns, "full", "job", withSpec(func(s *joberrorv1.JobErrorSpec) { *s = full })))
	je := cluster.WaitObserved(t, ns, "full")
	want := fmt.Sprintf(`[{"_id":"full","_userId":"u1","_jobId":"job","_retryId":"%s","createdAt":"%s","resolved":true,"code":"c",`+
		`"extract":"e","generate":"g","extracted":"ed","generated":"gd","message":"m","source":"s"}]`+"\n",
		je.Status.RetryID, full.CreatedAt)
	got := harness.Do(t, cluster.Config(), http.MethodGet, path, "").Want(t, 200)
	if string(got.Body) != want {
		t.Errorf("body = %s\nwant   %s", got.Body, want)
	}
}

func TestListsNoErrorsAsAnEmptyArray(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	if got := harness.Do(t, cluster.Config(), http.MethodGet, createJob(t, ns), "").Want(t, 200); string(got.Body) != "[]\n" {
		t.Errorf("body = %s, want []", got.Body)
	}
}

func TestListsErrorsInPages(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	created := harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	want := map[string]bool{}
	for i := range 7 {
		// Errors that name the Job and errors that name its UID belong to the same Job.
		id := "job"
		if i%3 == 0 {
			id = string(created.UID)
		}
		je := harness.JobError(ns, fmt.Sprintf("e-%d", i), id, withSpec(func(s *joberrorv1.JobErrorSpec) { s.Resolved = i == 6 }))
		want[harness.Create(t, cluster.Client, je).Name] = true
	}
	for i := range 7 {
		cluster.WaitFor(t, ns, fmt.Sprintf("e-%d", i), withLinkReason(joberrorv1.ReasonJobFound))
	}
	for _, id := range []string{"job", string(created.UID)} {
		got := map[string]bool{}
		next, pages := "", 0
		for {
			page := harness.Do(t, cluster.Config(), http.MethodGet, harness.JobErrorsPath(ns, id)+"?limit=2&continue="+next, "").Want(t, 200)
			records := page.Records(t)
			if len(records) > 2 {
				t.Errorf("page has %d records, want at most 2", len(records))
			}
			for _, r := range records {
				if got[r.ID] {
					t.Errorf("%s is on two pages", r.ID)
				}
				got[r.ID] = true
			}
			pages++
			if next = page.Header.Get("Joberror-Continue"); next == "" {
				break
			}
		}
		if len(got) != len(want) || pages < 4 {
			t.Errorf("errors of %s = %v on %d pages, want %d errors on at least 4 pages", id, got, pages, len(want))
		}
	}
	for filter, count := range map[string]int{"true": 1, "false": 6} {
		records := harness.Do(t, cluster.Config(), http.MethodGet, harness.JobErrorsPath(ns, "job")+"?resolved="+filter, "").Want(t, 200).Records(t)
		if len(records) != count {
			t.Errorf("records with resolved=%s = %d, want %d", filter, len(records), count)
		}
	}
}

func TestFindsErrorsOfADeletedJob(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	created := harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	cluster.WaitFor(t, ns, "e", withLinkReason(joberrorv1.ReasonJobFound))
	if err := cluster.Client.Delete(t.Context(), created, client.PropagationPolicy("Background")); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, "e", withLinkReason(joberrorv1.ReasonJobDeleted))
	for _, id := range []string{"job", string(created.UID)} {
		if records := harness.Do(t, cluster.Config(), http.MethodGet, harness.JobErrorsPath(ns, id), "").Want(t, 200).Records(t); len(records) != 1 {
			t.Errorf("records of %s = %v, want 1", id, records)
		}
	}
	for _, id := range []string{"job", string(created.UID)} {
		out, err := cluster.Run(t.Context(), nil, "get", "jobs.resolve.joberror.io", id, "-n", ns, "--no-headers")
		if problem := missing(strings.Join(strings.Fields(out), " "), err, "job 1 1 0"); problem != "" {
			t.Error(problem)
		}
	}
	jer := harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrorsPath(ns, string(created.UID))+"/resolve", "").Want(t, 200).Resolution(t)
	if jer.Status.Updated != 1 {
		t.Errorf("status = %+v, want 1 updated", jer.Status)
	}
}
