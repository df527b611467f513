// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestWhoAndWhenAreFilledIn(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cluster.Grant(t, ns, "alice", "edit")
	alice := cluster.ClientFor(t, "alice")
	before := time.Now().Add(-time.Second)
	je := harness.Create(t, alice, harness.JobError(ns, "bare", "job"))
	if je.Spec.UserID != "alice" {
		t.Errorf("_userId is %q, want alice", je.Spec.UserID)
	}
	if at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt); err != nil || at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("createdAt is %q, want now (%v)", je.Spec.CreatedAt, err)
	}
	given := harness.JobError(ns, "given", "job", spec(func(s *joberrorv1.JobErrorSpec) {
		s.UserID, s.CreatedAt = "5c66b0", time.Now().UTC().Add(-time.Hour).Format("2006-01-02T15:04:05.000Z")
	}))
	at := given.Spec.CreatedAt
	if je := harness.Create(t, alice, given); je.Spec.UserID != "5c66b0" || je.Spec.CreatedAt != at {
		t.Errorf("what was given is kept to the letter: got %+v", je.Spec)
	}
	if entry := harness.Create(t, alice, harness.Resolution(ns, "entry", "job")); entry.Spec.RequestedBy != "alice" {
		t.Errorf("requestedBy is %q, want alice", entry.Spec.RequestedBy)
	}
}

func TestACreatedAtThatNoRecordCanHaveIsRefused(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "short", harness.Annotated(joberrorv1.AnnotationRetention, "1h")))
	for name, c := range map[string]struct {
		job   string
		after time.Duration
		want  string
	}{
		"too far ahead":                {"job", 6 * time.Minute, "ahead of the current time"},
		"past retention":               {"job", -31 * 24 * time.Hour, "past its retention"},
		"past the Job's own retention": {"short", -2 * time.Hour, "past its retention"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			harness.Eventually(t, func() string {
				// The Job's annotation reaches the webhook by its cache.
				err := cluster.Client.Create(t.Context(), harness.JobError(ns, "bad", c.job, harness.CreatedAt(time.Now().Add(c.after))), client.DryRunAll)
				if !apierrors.IsInvalid(err) || !strings.Contains(err.Error(), "spec.createdAt") || !strings.Contains(err.Error(), c.want) {
					return "want a refusal of spec.createdAt that says " + c.want
				}
				return ""
			})
		})
	}
	harness.Create(t, cluster.Client, harness.JobError(ns, "a-little-ahead", "job", harness.CreatedAt(time.Now().Add(4*time.Minute))))
	harness.Create(t, cluster.Client, harness.JobError(ns, "nearly-over", "job", harness.CreatedAt(time.Now().AddDate(0, 0, -29))))
}

func TestNobodyResolvesInAnothersName(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cluster.Grant(t, ns, "bob", "edit")
	bob := cluster.ClientFor(t, "bob")
	harness.Create(t, bob, harness.JobError(ns, "open", "job"))
	for who, c := range map[string]client.Client{"bob": bob, "admin": cluster.Client} {
		err := c.Patch(t.Context(), harness.JobError(ns, "open", "job"), harness.MergePatch(
			`{"metadata":{"annotations":{"joberror.io/resolved-by":"alice","joberror.io/resolved-generation":"2"}},"spec":{"resolved":true}}`))
		if err == nil || !strings.Contains(err.Error(), "joberror.io/resolved-by") {
			t.Errorf("%s: got %v, want a refusal that names the annotation", who, err)
		}
	}
	harness.Create(t, bob, harness.JobError(ns, "claimed", "job"))
	err := bob.Patch(t.Context(), harness.JobError(ns, "claimed", "job"), harness.MergePatch(
		`{"metadata":{"annotations":{"joberror.io/resolved-by":"bob","joberror.io/resolution":"forged/1"}},"spec":{"resolved":true}}`))
	if err != nil {
		t.Fatal(err)
	}
	if je := cluster.WaitFor(t, ns, "claimed", resolved); je.Status.Resolution != "" || je.Status.ResolvedBy != "bob" {
		t.Errorf("bob claims that an entry resolved the error: %+v", je.Status)
	}
	forged := harness.JobError(ns, "forged", "job", spec(func(s *joberrorv1.JobErrorSpec) { s.Resolved = true }))
	forged.Annotations = map[string]string{joberrorv1.AnnotationResolvedBy: "alice", joberrorv1.AnnotationResolvedGeneration: "1"}
	if err := bob.Create(t.Context(), forged); err == nil {
		t.Error("an error was created that alice had resolved, by bob")
	}
	entry := harness.Resolution(ns, "forged", "job")
	entry.Spec.RequestedBy = "alice"
	if err := bob.Create(t.Context(), entry); err == nil || !strings.Contains(err.Error(), "spec.requestedBy") {
		t.Errorf("got %v, want a refusal of spec.requestedBy", err)
	}
	if je := cluster.WaitObserved(t, ns, "open"); je.Spec.Resolved {
		t.Error("a refused patch resolved the error")
	}
}

func TestAnEarlierMarkIsNobodysForALaterChange(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
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
	// A replaced manifest that does not carry the mark loses nothing.
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
