// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// spec changes the spec of a JobError.
func spec(f func(*joberrorv1.JobErrorSpec)) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { f(&je.Spec) }
}

func TestBadInputIsRefusedByFieldAndRule(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		change func(*joberrorv1.JobErrorSpec)
		want   []string
	}{
		"no job":               {func(s *joberrorv1.JobErrorSpec) { s.JobID = "" }, []string{"spec._jobId", "at least 1"}},
		"long job":             {func(s *joberrorv1.JobErrorSpec) { s.JobID = long(254) }, []string{"spec._jobId", "253"}},
		"long user":            {func(s *joberrorv1.JobErrorSpec) { s.UserID = long(513) }, []string{"spec._userId", "512"}},
		"long code":            {func(s *joberrorv1.JobErrorSpec) { s.Code = long(257) }, []string{"spec.code", "256"}},
		"long extract":         {func(s *joberrorv1.JobErrorSpec) { s.Extract = long(1025) }, []string{"spec.extract", "1024"}},
		"long generate":        {func(s *joberrorv1.JobErrorSpec) { s.Generate = long(1025) }, []string{"spec.generate", "1024"}},
		"long extracted":       {func(s *joberrorv1.JobErrorSpec) { s.Extracted = long(16385) }, []string{"spec.extracted", "16384"}},
		"long generated":       {func(s *joberrorv1.JobErrorSpec) { s.Generated = long(16385) }, []string{"spec.generated", "16384"}},
		"long message":         {func(s *joberrorv1.JobErrorSpec) { s.Message = long(32769) }, []string{"spec.message", "32768"}},
		"long source":          {func(s *joberrorv1.JobErrorSpec) { s.Source = long(513) }, []string{"spec.source", "512"}},
		"createdAt no time":    {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "yesterday" }, []string{"spec.createdAt"}},
		"createdAt no zone":    {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "2026-11-05T10:15:00" }, []string{"spec.createdAt"}},
		"createdAt no offset":  {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "2026-11-05T10:15:00+99:99" }, []string{"spec.createdAt"}},
		"createdAt leap":       {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "2026-11-05T10:15:60Z" }, []string{"spec.createdAt"}},
		"createdAt no day":     {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "2026-02-30T10:15:00Z" }, []string{"spec.createdAt"}},
		"createdAt far":        {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "9999-12-31T23:59:59Z" }, []string{"spec.createdAt"}},
		"a job that is a path": {func(s *joberrorv1.JobErrorSpec) { s.JobID = "../x" }, []string{"spec._jobId"}},
		"createdAt no month":   {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "2026-13-05T10:15:00Z" }, []string{"spec.createdAt"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := cluster.Client.Create(t.Context(), harness.JobError(ns, "bad", "job", spec(c.change)))
			if !apierrors.IsInvalid(err) {
				t.Fatalf("got %v, want Invalid", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not name %q", err, want)
				}
			}
		})
	}
}

func TestWhoWhatAndWhenAreImmutable(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "fixed", "job"))
	for name, patch := range map[string]string{
		"spec._jobId":    `{"spec":{"_jobId":"other"}}`,
		"spec._userId":   `{"spec":{"_userId":"other"}}`,
		"spec.createdAt": `{"spec":{"createdAt":"2026-01-01T00:00:00Z"}}`,
		"_userId":        `{"spec":{"_userId":null}}`,
		"createdAt":      `{"spec":{"createdAt":null}}`,
	} {
		t.Run(name+" "+patch, func(t *testing.T) {
			t.Parallel()
			err := cluster.Client.Patch(t.Context(), harness.JobError(ns, "fixed", "job"), harness.MergePatch(patch))
			if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "immutable") {
				t.Errorf("got %v, want that %s is immutable", err, name)
			}
		})
	}
}

// A time that Go can't read would stop every informer of the resource.
func TestAStatusThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "r", "job"))
	cluster.WaitObserved(t, ns, "e")
	cluster.WaitCompleted(t, ns, "r")
	condition := `{"conditions":[{"type":"X","status":"True","reason":"X","message":"","lastTransitionTime":"2026-11-22t10:00:00+99:99"}]}`
	for _, c := range [][]string{
		{"je/e", `{"_retryId":"2026-11-22T10:00:00+99:99"}`}, {"je/e", `{"expiresAt":"2026-11-22t10:00:00+99:99"}`},
		{"je/e", `{"resolvedAt":"2026-11-22T10:00:00+99:99"}`}, {"je/e", condition}, {"je/e", `{"expiresAt":"2026-11-22t10:00:00z"}`},
		{"jer/r", `{"startedAt":"2026-11-22T10:00:00+99:99"}`}, {"jer/r", `{"completedAt":"2026-11-22t10:00:00+99:99"}`},
		{"jer/r", `{"expiresAt":"2026-11-22T10:00:00+99:99"}`}, {"jer/r", condition},
	} {
		_, err := cluster.Run(t.Context(), nil, "patch", c[0], "-n", ns, "--subresource=status", "--type=merge", "-p", `{"status":`+c[1]+`}`)
		if err == nil || !strings.Contains(err.Error(), "nvalid") {
			t.Errorf("%v: got %v, want that it is invalid", c, err)
		}
	}
}

func TestADescriptionCanBeCorrected(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "typo", "job"))
	before := cluster.WaitObserved(t, ns, "typo")
	err := cluster.Client.Patch(t.Context(), before.DeepCopy(), harness.MergePatch(`{"spec":{"message":"corrected"}}`))
	if err != nil {
		t.Fatal(err)
	}
	after := cluster.WaitFor(t, ns, "typo", func(je *joberrorv1.JobError) bool { return je.Generation == before.Generation+1 })
	if after.Status.RetryID <= before.Status.RetryID {
		t.Errorf("_retryId did not move on: %s, then %s", before.Status.RetryID, after.Status.RetryID)
	}
}

func TestAnEntryIsImmutableAndBounded(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Resolution(ns, "entry", "job"))
	err := cluster.Client.Patch(t.Context(), harness.Resolution(ns, "entry", "job"), harness.MergePatch(`{"spec":{"reason":"another"}}`))
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec is immutable") {
		t.Errorf("got %v, want that spec is immutable", err)
	}
	names := make([]string, joberrorv1.MaxNamedErrors+1)
	for i := range names {
		names[i] = strings.Repeat("x", i%200+1) + strings.Repeat("y", i/200)
	}
	err = cluster.Client.Create(t.Context(), harness.Resolution(ns, "long", "job", names...))
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.errors") {
		t.Errorf("got %v, want that spec.errors is too long", err)
	}
	_, err = cluster.Run(t.Context(), strings.NewReader(`{"apiVersion":"joberror.io/v1","kind":"JobErrorResolution","metadata":{"name":"none","namespace":"`+ns+`"},"spec":{"_jobId":"job","errors":[]}}`), "create", "-f", "-")
	if err == nil || !strings.Contains(err.Error(), "spec.errors") {
		t.Errorf("got %v, want that spec.errors is empty", err)
	}
	err = cluster.Client.Create(t.Context(), harness.Resolution(ns, "bad", "job", "../etc"))
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.errors[0]") {
		t.Errorf("got %v, want that spec.errors[0] is no name", err)
	}
}

func TestErrorsAreSelectedByField(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "one", "a", spec(func(s *joberrorv1.JobErrorSpec) { s.Code, s.Source = "c1", "s1" })))
	harness.Create(t, cluster.Client, harness.JobError(ns, "two", "b", spec(func(s *joberrorv1.JobErrorSpec) { s.Code, s.Source, s.Resolved = "c2", "s2", true })))
	for selector, want := range map[string]string{
		"spec._jobId=a":                     "one",
		"spec.resolved=true":                "two",
		"spec.code=c1":                      "one",
		"spec.source=s2":                    "two",
		"spec.resolved=false,spec._jobId=a": "one",
		"spec._jobId=b,spec.resolved=false": "",
	} {
		out, err := cluster.Run(t.Context(), nil, "get", "je", "-n", ns, "--field-selector", selector, "-o", "jsonpath={.items[*].metadata.name}")
		if err != nil || out != want {
			t.Errorf("%s: got %q, %v, want %q", selector, out, err, want)
		}
	}
}

func TestKubectlPrintsAndExplains(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "shown", "job"))
	cluster.WaitObserved(t, ns, "shown")
	harness.Create(t, cluster.Client, harness.Resolution(ns, "entry", "job"))
	cluster.WaitCompleted(t, ns, "entry")
	for _, c := range []struct {
		args string
		want []string
	}{
		{"get je -n " + ns, []string{"shown", "message of shown"}},
		{"get je -o wide -n " + ns, []string{"shown", "admin"}},
		{"get jer -n " + ns, []string{"JOB", "MATCHED", "UPDATED", "FAILED", "COMPLETE", "REQUESTED-BY", "entry", "True"}},
		{"explain joberror.spec", []string{"_jobId", "_userId", "createdAt", "extracted", "The Job that the error belongs to"}},
		{"explain joberror.status._retryId", []string{"When the record's content last changed"}},
		{"explain jer.spec.errors", []string{"The names of the errors that are meant"}},
	} {
		out, err := cluster.Run(t.Context(), nil, strings.Fields(c.args)...)
		if err != nil {
			t.Error(err)
		}
		for _, want := range c.want {
			if !strings.Contains(out, want) {
				t.Errorf("kubectl %s does not print %q:\n%s", c.args, want, out)
			}
		}
		if strings.Contains(out, "<invalid>") {
			t.Errorf("kubectl %s prints <invalid>:\n%s", c.args, out)
		}
	}
}
