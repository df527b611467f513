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

// withSpec returns an option for harness.JobError that changes the spec.
func withSpec(f func(*joberrorv1.JobErrorSpec)) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) { f(&je.Spec) }
}

func TestNamesTheFieldAndRuleOfInvalidInput(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	long := func(n int) string { return strings.Repeat("x", n) }
	for name, c := range map[string]struct {
		change func(*joberrorv1.JobErrorSpec)
		want   []string
	}{
		"no job":                              {func(s *joberrorv1.JobErrorSpec) { s.JobID = "" }, []string{"spec._jobId", "at least 1"}},
		"long job":                            {func(s *joberrorv1.JobErrorSpec) { s.JobID = long(254) }, []string{"spec._jobId", "253"}},
		"long user":                           {func(s *joberrorv1.JobErrorSpec) { s.UserID = long(513) }, []string{"spec._userId", "512"}},
		"long code":                           {func(s *joberrorv1.JobErrorSpec) { s.Code = long(257) }, []string{"spec.code", "256"}},
		"long extract":                        {func(s *joberrorv1.JobErrorSpec) { s.Extract = long(1025) }, []string{"spec.extract", "1024"}},
		"long generate":                       {func(s *joberrorv1.JobErrorSpec) { s.Generate = long(1025) }, []string{"spec.generate", "1024"}},
		"long extracted":                      {func(s *joberrorv1.JobErrorSpec) { s.Extracted = long(16385) }, []string{"spec.extracted", "16384"}},
		"long generated":                      {func(s *joberrorv1.JobErrorSpec) { s.Generated = long(16385) }, []string{"spec.generated", "16384"}},
		"long message":                        {func(s *joberrorv1.JobErrorSpec) { s.Message = long(32769) }, []string{"spec.message", "32768"}},
		"long source":                         {func(s *joberrorv1.JobErrorSpec) { s.Source = long(513) }, []string{"spec.source", "512"}},
		"createdAt not a time":                {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "yesterday" }, []string{"spec.createdAt"}},
		"createdAt without a zone":            {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "2026-11-05T10:15:00" }, []string{"spec.createdAt"}},
		"createdAt with an impossible offset": {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "2026-11-05T10:15:00+99:99" }, []string{"spec.createdAt"}},
		"createdAt with a leap second":        {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "2026-11-05T10:15:60Z" }, []string{"spec.createdAt"}},
		"createdAt with an impossible day":    {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "2026-02-30T10:15:00Z" }, []string{"spec.createdAt"}},
		"createdAt too far in the future":     {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "9999-12-31T23:59:59Z" }, []string{"spec.createdAt"}},
		"job that is a path":                  {func(s *joberrorv1.JobErrorSpec) { s.JobID = "../x" }, []string{"spec._jobId"}},
		"createdAt with an impossible month":  {func(s *joberrorv1.JobErrorSpec) { s.CreatedAt = "2026-13-05T10:15:00Z" }, []string{"spec.createdAt"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := cluster.Client.Create(t.Context(), harness.JobError(ns, "invalid", "job", withSpec(c.change)))
			if !apierrors.IsInvalid(err) {
				t.Fatalf("error = %v, want Invalid", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error = %q, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestJobUserAndTimeAreImmutable(t *testing.T) {
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
				t.Errorf("error = %v, want Invalid: %s is immutable", err, name)
			}
		})
	}
}

// A time that Go cannot parse would stop every informer of the resource.
func TestRefusesAnUnreadableStatus(t *testing.T) {
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
			t.Errorf("patch the status of %s to %s: error = %v, want Invalid", c[0], c[1], err)
		}
	}
}

func TestMessageCanBeCorrected(t *testing.T) {
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
		t.Errorf("_retryId = %s, want it later than %s", after.Status.RetryID, before.Status.RetryID)
	}
}

func TestResolutionIsImmutableAndLimited(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Resolution(ns, "resolution", "job"))
	err := cluster.Client.Patch(t.Context(), harness.Resolution(ns, "resolution", "job"), harness.MergePatch(`{"spec":{"reason":"another"}}`))
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec is immutable") {
		t.Errorf("error = %v, want Invalid: spec is immutable", err)
	}
	names := make([]string, joberrorv1.MaxNamedErrors+1)
	for i := range names {
		names[i] = strings.Repeat("x", i%200+1) + strings.Repeat("y", i/200)
	}
	err = cluster.Client.Create(t.Context(), harness.Resolution(ns, "long", "job", names...))
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.errors") {
		t.Errorf("error = %v, want Invalid: spec.errors is too long", err)
	}
	_, err = cluster.Run(t.Context(), strings.NewReader(`{"apiVersion":"joberror.io/v1","kind":"JobErrorResolution","metadata":{"name":"none","namespace":"`+ns+`"},"spec":{"_jobId":"job","errors":[]}}`), "create", "-f", "-")
	if err == nil || !strings.Contains(err.Error(), "spec.errors") {
		t.Errorf("error = %v, want Invalid: spec.errors is empty", err)
	}
	err = cluster.Client.Create(t.Context(), harness.Resolution(ns, "invalid", "job", "../etc"))
	if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.errors[0]") {
		t.Errorf("error = %v, want Invalid: spec.errors[0] is not a valid name", err)
	}
}

func TestErrorsAreSelectedByField(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "one", "a", withSpec(func(s *joberrorv1.JobErrorSpec) { s.Code, s.Source = "c1", "s1" })))
	harness.Create(t, cluster.Client, harness.JobError(ns, "two", "b", withSpec(func(s *joberrorv1.JobErrorSpec) { s.Code, s.Source, s.Resolved = "c2", "s2", true })))
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
			t.Errorf("errors for %s = %q, want %q: %v", selector, out, want, err)
		}
	}
}

func TestKubectlPrintsAndExplains(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "shown", "job"))
	cluster.WaitObserved(t, ns, "shown")
	harness.Create(t, cluster.Client, harness.Resolution(ns, "resolution", "job"))
	cluster.WaitCompleted(t, ns, "resolution")
	for _, c := range []struct {
		args string
		want []string
	}{
		{"get je -n " + ns, []string{"shown", "message of shown"}},
		{"get je -o wide -n " + ns, []string{"shown", "admin"}},
		{"get jer -n " + ns, []string{"JOB", "MATCHED", "UPDATED", "FAILED", "COMPLETE", "REQUESTED-BY", "resolution", "True"}},
		{"explain joberror.spec", []string{"_jobId", "_userId", "createdAt", "extracted", "the Job that the error belongs to"}},
		{"explain joberror.status._retryId", []string{"_retryId is when the record's content last changed"}},
		{"explain jer.spec.errors", []string{"errors holds the names of the errors to change"}},
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
