// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"net/http"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func resolvedReason(je *joberrorv1.JobError) string {
	return harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved)
}

func TestWithTheOperatorDownWritesGoOn(t *testing.T) {
	ns := cluster.Namespace(t)
	cluster.Grant(t, ns, "alice", "edit")
	alice := cluster.ClientFor(t, "alice")
	before := operate(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, alice, harness.JobError(ns, "earlier", "job"))
	patch := func(name, body string) error {
		return alice.Patch(t.Context(), harness.JobError(ns, name, "job"), harness.MergePatch(body))
	}
	if err := patch("earlier", `{"spec":{"resolved":true}}`); err != nil {
		t.Fatal(err)
	}
	cluster.When(t, ns, "earlier", func(je *joberrorv1.JobError) bool { return je.Status.ResolvedBy == "alice" })
	stop(t, before)

	bare := harness.Create(t, alice, harness.JobError(ns, "bare", "job"))
	if bare.Spec.UserID != "" || bare.Spec.CreatedAt != "" || bare.Spec.Resolved {
		t.Errorf("somebody filled in %+v with the operator down", bare.Spec)
	}
	if err := patch("bare", `{"spec":{"resolved":true}}`); err != nil {
		t.Errorf("a patch failed with the operator down: %v", err)
	}
	entry := harness.Create(t, alice, harness.Resolution(ns, "entry", "other"))
	if entry.Spec.RequestedBy != "" {
		t.Errorf("requestedBy is %q", entry.Spec.RequestedBy)
	}
	forged := harness.Resolution(ns, "forged", "job")
	forged.Spec.RequestedBy = "bob"
	if err := alice.Create(t.Context(), forged); err == nil {
		t.Error("alice made an entry in bob's name with the operator down")
	}
	for what, body := range map[string]string{
		"puts bob's name on an error":       `{"metadata":{"annotations":{"joberror.io/resolved-by":"bob","joberror.io/resolved-generation":"3"}},"spec":{"resolved":false}}`,
		"leaves her own for a later change": `{"metadata":{"annotations":{"joberror.io/resolved-by":"alice","joberror.io/resolved-generation":"3"}}}`,
		"leaves a mark that is ahead":       `{"metadata":{"annotations":{"joberror.io/resolved-generation":"999"}},"spec":{"resolved":false}}`,
		"claims an entry did it":            `{"metadata":{"annotations":{"joberror.io/resolution":"forged/1"}},"spec":{"resolved":false}}`,
		"leaves the error dead owners":      `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"1"}]}}`,
	} {
		if err := patch("bare", body); err == nil {
			t.Errorf("with the operator down, alice %s", what)
		}
	}
	answer := harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrors(ns, "job")+"/resolve", "")
	if answer.Code != http.StatusServiceUnavailable {
		t.Errorf("the endpoint answers %d with the operator down", answer.Code)
	}

	operate(t)
	je := cluster.When(t, ns, "bare", func(je *joberrorv1.JobError) bool { return resolvedReason(je) == joberrorv1.ReasonSetByUser })
	if je.Status.ResolvedBy != "" || je.Status.ResolvedAt == nil {
		t.Errorf("resolved while the operator was down: %+v", je.Status)
	}
	if at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt); err != nil || !at.Equal(je.CreationTimestamp.Time) {
		t.Errorf("createdAt is %q, want the time of creation", je.Spec.CreatedAt)
	}
	if len(je.OwnerReferences) != 2 || je.Labels[joberrorv1.LabelJobName] != "job" {
		t.Errorf("the controller did not link it: %v %v", je.OwnerReferences, je.Labels)
	}
	cluster.Completed(t, ns, "entry")
	if je := cluster.Settled(t, ns, "earlier"); je.Status.ResolvedBy != "alice" {
		t.Errorf("resolvedBy went from alice to %q", je.Status.ResolvedBy)
	}
}

// With only the webhooks gone, as behind a firewall, an earlier mark must not
// be taken for the name of who makes a later change.
func TestWithTheWebhooksDownAnOldMarkNamesNobody(t *testing.T) {
	ns := cluster.Namespace(t)
	operate(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	patch := func(body string) {
		t.Helper()
		if err := cluster.Client.Patch(t.Context(), harness.JobError(ns, "e", "job"), harness.MergePatch(body)); err != nil {
			t.Fatal(err)
		}
	}
	patch(`{"spec":{"resolved":true}}`)
	cluster.When(t, ns, "e", func(je *joberrorv1.JobError) bool { return je.Status.ResolvedBy == "admin" })
	if _, err := cluster.Run(t.Context(), nil, "delete", "mutatingwebhookconfiguration", "joberror-operator"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Install(context.WithoutCancel(t.Context()), cluster.Root+"/config/default", cluster.At); err != nil {
			t.Error(err)
		}
	})
	harness.Eventually(t, func() string {
		probe := harness.JobError(ns, "probe", "job")
		if err := cluster.Client.Create(t.Context(), probe, client.DryRunAll); err != nil || probe.Spec.UserID != "" {
			return "the webhook is still called"
		}
		return ""
	})
	patch(`{"spec":{"resolved":false}}`)
	cluster.When(t, ns, "e", func(je *joberrorv1.JobError) bool { return resolvedReason(je) == joberrorv1.ReasonReopened })
	patch(`{"spec":{"resolved":true}}`)
	je := cluster.When(t, ns, "e", func(je *joberrorv1.JobError) bool { return resolvedReason(je) == joberrorv1.ReasonSetByUser })
	if je.Status.ResolvedBy != "" {
		t.Errorf("the change is attributed to %q, whose mark is of an earlier one", je.Status.ResolvedBy)
	}
}

func TestTimeGoesOnWhileTheOperatorIsDown(t *testing.T) {
	ns := cluster.Namespace(t)
	first := operate(t, "--retention=8s")
	over := time.Now().Add(8 * time.Second)
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "r", "job"))
	cluster.Settled(t, ns, "e")
	cluster.Completed(t, ns, "r")
	stop(t, first)
	time.Sleep(time.Until(over.Add(2 * time.Second)))
	for _, obj := range []client.Object{harness.JobError(ns, "e", "job"), harness.Resolution(ns, "r", "job")} {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			t.Fatalf("nobody was there to delete %s: %v", obj.GetName(), err)
		}
	}
	harness.Create(t, cluster.Client, harness.JobError(ns, "later", "job"))
	operate(t, "--retention=8s")
	for _, obj := range []client.Object{harness.JobError(ns, "e", "job"), harness.Resolution(ns, "r", "job")} {
		harness.Eventually(t, func() string {
			if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); !apierrors.IsNotFound(err) {
				return obj.GetName() + " is still there"
			}
			return ""
		})
	}
}
