// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestFillsInUserAndTime(t *testing.T) {
	t.Parallel()
	inBothForms(t, fillsInUserAndTime)
}

func fillsInUserAndTime(t *testing.T, ns string) {
	cluster.Grant(t, ns, "alice", "edit")
	alice := cluster.ClientFor(t, "alice")
	before := time.Now().Add(-time.Second)
	je := harness.Create(t, alice, harness.JobError(ns, "bare", "job"))
	if je.Spec.UserID != "alice" {
		t.Errorf("_userId = %q, want alice", je.Spec.UserID)
	}
	if at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt); err != nil || at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("createdAt = %q, want the current time: %v", je.Spec.CreatedAt, err)
	}
	given := harness.JobError(ns, "given", "job", withSpec(func(s *joberrorv1.JobErrorSpec) {
		s.UserID, s.CreatedAt = "5c66b0", time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04:05.000Z")
	}))
	at := given.Spec.CreatedAt
	if je := harness.Create(t, alice, given); je.Spec.UserID != "5c66b0" || je.Spec.CreatedAt != at {
		t.Errorf("spec = %+v, want the given _userId 5c66b0 and createdAt %s unchanged", je.Spec, at)
	}
	if jer := harness.Create(t, alice, harness.Resolution(ns, "resolution", "job")); jer.Spec.RequestedBy != "alice" {
		t.Errorf("requestedBy = %q, want alice", jer.Spec.RequestedBy)
	}
}

func TestRefusesAnImpossibleCreatedAt(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "short", harness.Annotated(joberrorv1.AnnotationRetention, "1d")))
	for name, c := range map[string]struct {
		job   string
		after time.Duration
		want  string
	}{
		"too far in the future":        {"job", 6 * time.Minute, "ahead of the current time"},
		"past the default retention":   {"job", -31 * 24 * time.Hour, "past its retention"},
		"past the Job's own retention": {"short", -25 * time.Hour, "past its retention"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			harness.Eventually(t, func() string {
				// The webhook reads the Job from its cache, which lags behind.
				err := cluster.Client.Create(t.Context(), harness.JobError(ns, "refused", c.job, harness.CreatedAt(time.Now().Add(c.after))), client.DryRunAll)
				if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.createdAt") || !strings.Contains(err.Error(), c.want) {
					return fmt.Sprintf("error = %v, want Invalid for spec.createdAt with %q", err, c.want)
				}
				return ""
			})
		})
	}
	harness.Create(t, cluster.Client, harness.JobError(ns, "slightly-ahead", "job", harness.CreatedAt(time.Now().Add(4*time.Minute))))
	harness.Create(t, cluster.Client, harness.JobError(ns, "nearly-expired", "job", harness.CreatedAt(time.Now().AddDate(0, 0, -29))))
}

func TestRefusesToResolveInAnothersName(t *testing.T) {
	t.Parallel()
	inBothForms(t, refusesToResolveInAnothersName)
}

func refusesToResolveInAnothersName(t *testing.T, ns string) {
	cluster.Grant(t, ns, "bob", "edit")
	bob := cluster.ClientFor(t, "bob")
	harness.Create(t, bob, harness.JobError(ns, "open", "job"))
	for user, c := range map[string]client.Client{"bob": bob, "admin": cluster.Client} {
		err := c.Patch(t.Context(), harness.JobError(ns, "open", "job"), harness.MergePatch(
			`{"metadata":{"annotations":{"joberror.io/resolved-by":"alice","joberror.io/resolved-generation":"2"}},"spec":{"resolved":true}}`))
		if err == nil || !strings.Contains(err.Error(), "joberror.io/resolved-by") {
			t.Errorf("patch as %s: error = %v, want a refusal that names joberror.io/resolved-by", user, err)
		}
	}
	harness.Create(t, bob, harness.JobError(ns, "claimed", "job"))
	err := bob.Patch(t.Context(), harness.JobError(ns, "claimed", "job"), harness.MergePatch(
		`{"metadata":{"annotations":{"joberror.io/resolved-by":"bob","joberror.io/resolution":"forged/1"}},"spec":{"resolved":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	if je := cluster.WaitFor(t, ns, "claimed", isResolved); je.Status.Resolution != "" || je.Status.ResolvedBy != "bob" {
		t.Errorf("status = %+v, want bob as the user and no resolution", je.Status)
	}
	forged := harness.JobError(ns, "forged", "job", withSpec(func(s *joberrorv1.JobErrorSpec) { s.Resolved = true }))
	forged.Annotations = map[string]string{joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "1"}
	if err := bob.Create(t.Context(), forged); err == nil {
		t.Error("bob created an error that alice had supposedly resolved, want a refusal")
	}
	jer := harness.Resolution(ns, "forged", "job")
	jer.Spec.RequestedBy = "alice"
	if err := bob.Create(t.Context(), jer); err == nil || !strings.Contains(err.Error(), "spec.requestedBy") {
		t.Errorf("error = %v, want a refusal of spec.requestedBy", err)
	}
	if je := cluster.WaitObserved(t, ns, "open"); je.Spec.Resolved {
		t.Error("a refused patch resolved the error")
	}
}

func TestAttributesEachChangeToItsUser(t *testing.T) {
	t.Parallel()
	inBothForms(t, attributesEachChangeToItsUser)
}

func attributesEachChangeToItsUser(t *testing.T, ns string) {
	for _, user := range []string{"alice", "bob"} {
		cluster.Grant(t, ns, user, "edit")
	}
	alice, bob := cluster.ClientFor(t, "alice"), cluster.ClientFor(t, "bob")
	harness.Create(t, alice, harness.JobError(ns, "e", "job"))
	patch := func(c client.Client, body string) {
		t.Helper()
		if err := c.Patch(t.Context(), harness.JobError(ns, "e", "job"), harness.MergePatch(body)); err != nil {
			t.Fatal(err)
		}
	}
	patch(alice, `{"spec":{"resolved":true}}`)
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return je.Status.ResolvedBy == "alice" })
	patch(bob, `{"spec":{"resolved":false}}`)
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool {
		return je.Status.ResolvedBy == "" && je.Status.ResolvedAt == nil &&
			harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved) == joberrorv1.ReasonReopened
	})
	patch(bob, `{"spec":{"resolved":true}}`)
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return je.Status.ResolvedBy == "bob" })
	// An update without the mark does not remove it.
	je := harness.Get(t, cluster.Client, ns, "e", &joberrorv1.JobError{})
	je.Annotations = nil
	je.Spec.Message = "corrected"
	if err := alice.Update(t.Context(), je); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool {
		return je.Status.ResolvedBy == "bob" && je.Annotations[joberrorv1.AnnotationResolvedBy] == "bob"
	})
}
