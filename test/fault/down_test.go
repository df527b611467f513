// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// resolvedReason returns the reason of the condition Resolved.
func resolvedReason(je *joberrorv1.JobError) string {
	return harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved)
}

// onlyWebhooks removes the MutatingAdmissionPolicies until the test ends. It returns a
// namespace in which only the webhooks fill in names, as in a cluster before Kubernetes
// 1.36.
func onlyWebhooks(t *testing.T) string {
	t.Helper()
	ns := cluster.Namespace(t)
	has, err := cluster.HasMutatingPolicies()
	if err != nil {
		t.Fatal(err)
	}
	if has {
		cluster.Kubectl(t, "delete", "mutatingadmissionpolicybinding", "joberror-defaults", "joberrorresolution-defaults")
		t.Cleanup(func() { reinstall(t) })
	}
	cluster.WaitPolicies(t, ns, false)
	return ns
}

// reinstall applies the operator's manifests again.
func reinstall(t *testing.T) {
	t.Helper()
	kustomization, err := cluster.Kustomization()
	if err == nil {
		err = cluster.Install(context.WithoutCancel(t.Context()), kustomization, cluster.Ports)
	}
	if err != nil {
		t.Error(err)
	}
}

func TestWritesContinueWhileTheOperatorIsDown(t *testing.T) {
	has, err := cluster.HasMutatingPolicies()
	if err != nil {
		t.Fatal(err)
	}
	if has {
		t.Run("policies", func(t *testing.T) {
			ns := cluster.Namespace(t)
			cluster.WaitPolicies(t, ns, true)
			writesContinueWhileTheOperatorIsDown(t, ns, "alice")
		})
	}
	t.Run("webhooks", func(t *testing.T) { writesContinueWhileTheOperatorIsDown(t, onlyWebhooks(t), "") })
}

// writesContinueWhileTheOperatorIsDown expects that changes that alice makes while the
// operator is down are attributed to by.
func writesContinueWhileTheOperatorIsDown(t *testing.T, ns, by string) {
	cluster.Grant(t, ns, "alice", "edit")
	alice := cluster.ClientFor(t, "alice")
	first := operate(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	harness.Create(t, alice, harness.JobError(ns, "earlier", "job"))
	patch := func(name, body string) error {
		return alice.Patch(t.Context(), harness.JobError(ns, name, "job"), harness.MergePatch(body))
	}
	if err := patch("earlier", `{"spec":{"resolved":true}}`); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, ns, "earlier", func(je *joberrorv1.JobError) bool { return je.Status.ResolvedBy == "alice" })
	stop(t, first)

	bare := harness.Create(t, alice, harness.JobError(ns, "bare", "job"))
	if bare.Spec.UserID != by || bare.Spec.CreatedAt != "" || bare.Spec.Resolved {
		t.Errorf("spec = %+v with the operator down, want only _userId %q filled in", bare.Spec, by)
	}
	if err := patch("bare", `{"spec":{"resolved":true}}`); err != nil {
		t.Errorf("patch with the operator down: %v", err)
	}
	jer := harness.Create(t, alice, harness.Resolution(ns, "unattributed", "other"))
	if jer.Spec.RequestedBy != by {
		t.Errorf("requestedBy = %q with the operator down, want %q", jer.Spec.RequestedBy, by)
	}
	forged := harness.Resolution(ns, "forged", "job")
	forged.Spec.RequestedBy = "bob"
	if err := alice.Create(t.Context(), forged); err == nil {
		t.Error("with the operator down, alice created a resolution in bob's name")
	}
	future := harness.JobError(ns, "future", "job", harness.CreatedAt(time.Now().AddDate(73, 0, 0)))
	if err := alice.Create(t.Context(), future); err == nil {
		t.Error("with the operator down, alice created an error that never expires")
	}
	forgeries := map[string]string{
		"attributes a change to bob":         `{"metadata":{"annotations":{"joberror.io/resolved-by":"bob","joberror.io/resolved-generation":"3"}},"spec":{"resolved":false}}`,
		"marks an error as captured":         `{"metadata":{"labels":{"joberror.io/captured":"true"}}}`,
		"sets a createdAt that never passes": `{"spec":{"createdAt":"2099-01-01T00:00:00Z"}}`,
	}
	// The policies correct what only the webhooks would correct otherwise.
	corrected := map[string]string{
		"attributes a later change to herself": `{"metadata":{"annotations":{"joberror.io/resolved-by":"alice","joberror.io/resolved-generation":"3"}}}`,
		"marks a generation that is ahead":     `{"metadata":{"annotations":{"joberror.io/resolved-generation":"999"}},"spec":{"resolved":true}}`,
		"attributes a change to a resolution":  `{"metadata":{"annotations":{"joberror.io/resolution":"forged/1"}},"spec":{"resolved":true}}`,
		"sets owners that do not exist":        `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"gone","uid":"1"}]}}`,
		"sets a Namespace that does not exist": `{"metadata":{"ownerReferences":[{"apiVersion":"v1","kind":"Namespace","name":"` + ns + `","uid":"1"}]}}`,
	}
	if by == "" {
		maps.Copy(forgeries, corrected)
	}
	for action, body := range forgeries {
		if err := patch("bare", body); err == nil {
			t.Errorf("with the operator down, alice %s", action)
		}
	}
	for action, body := range corrected {
		if err := patch("bare", body); by != "" && err != nil {
			t.Errorf("with the operator down, alice %s: %v", action, err)
		}
	}
	response := harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrorsPath(ns, "job")+"/resolve", "")
	if response.Code != http.StatusServiceUnavailable {
		t.Errorf("code = %d with the operator down, want 503", response.Code)
	}

	operate(t)
	je := cluster.WaitFor(t, ns, "bare", func(je *joberrorv1.JobError) bool { return resolvedReason(je) == joberrorv1.ReasonSetByUser })
	if je.Status.ResolvedBy != by || je.Status.ResolvedAt == nil || je.Status.Resolution != "" {
		t.Errorf("status = %+v, want it resolved by %q, with a time", je.Status, by)
	}
	if at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt); err != nil || !at.Equal(je.CreationTimestamp.Time) {
		t.Errorf("createdAt = %q, want the creationTimestamp %s", je.Spec.CreatedAt, je.CreationTimestamp)
	}
	je = cluster.WaitFor(t, ns, "bare", func(je *joberrorv1.JobError) bool { return len(je.OwnerReferences) == 2 })
	if je.Labels[joberrorv1.LabelJobName] != "job" {
		t.Errorf("labels %v, want a link to the Job", je.Labels)
	}
	cluster.WaitCompleted(t, ns, "unattributed")
	if je := cluster.WaitObserved(t, ns, "earlier"); je.Status.ResolvedBy != "alice" {
		t.Errorf("resolvedBy = %q, want alice", je.Status.ResolvedBy)
	}
}

// A webhook that can't be reached costs each request that calls it two seconds. The garbage
// collector and the namespace controller call none.
func TestControllersOfKubernetesDoNotCallTheWebhooks(t *testing.T) {
	ns := onlyWebhooks(t)
	operator := operate(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	if err := cluster.Client.Patch(t.Context(), harness.JobError(ns, "e", "job"), harness.MergePatch(`{"spec":{"resolved":true}}`)); err != nil {
		t.Fatal(err)
	}
	cluster.WaitObserved(t, ns, "e")
	stop(t, operator)
	callsOf := func(user string) int {
		t.Helper()
		before := failedCalls(t)
		// Without its marks, the error would reach the webhooks.
		unmark := harness.MergePatch(`{"metadata":{"annotations":null}}`)
		if err := cluster.As(t, user).Patch(t.Context(), harness.JobError(ns, "e", "job"), unmark, client.DryRunAll); err != nil {
			t.Fatal(err)
		}
		return failedCalls(t) - before
	}
	for _, user := range []string{harness.GarbageCollector, "system:serviceaccount:kube-system:namespace-controller"} {
		if calls := callsOf(user); calls != 0 {
			t.Errorf("%s called the webhooks %d times, want 0", user, calls)
		}
	}
	if calls := callsOf("bob"); calls != 1 {
		t.Errorf("bob called the webhooks %d times, want 1", calls)
	}
}

// failedCalls returns how many calls of webhooks failed in total, according to the API
// server.
func failedCalls(t *testing.T) int {
	t.Helper()
	total := 0
	for _, line := range strings.Split(cluster.Kubectl(t, "get", "--raw", "/metrics"), "\n") {
		if strings.HasPrefix(line, "apiserver_admission_webhook_fail_open_count{") {
			n, err := strconv.Atoi(line[strings.LastIndex(line, " ")+1:])
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
	}
	return total
}

// If only the webhooks are down, for example behind a firewall, the mark of an earlier
// change must not attribute a later one.
func TestOldMarkDoesNotAttributeAChangeWithoutWebhooks(t *testing.T) {
	ns := onlyWebhooks(t)
	operate(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	patch := func(body string) {
		t.Helper()
		if err := cluster.Client.Patch(t.Context(), harness.JobError(ns, "e", "job"), harness.MergePatch(body)); err != nil {
			t.Fatal(err)
		}
	}
	patch(`{"spec":{"resolved":true}}`)
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return je.Status.ResolvedBy == "admin" })
	if _, err := cluster.Run(t.Context(), nil, "delete", "mutatingwebhookconfiguration", "joberror-operator"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reinstall(t) })
	harness.Eventually(t, func() string {
		probe := harness.JobError(ns, "probe", "job")
		if err := cluster.Client.Create(t.Context(), probe, client.DryRunAll); err != nil || probe.Spec.UserID != "" {
			return "the webhook is still called"
		}
		return ""
	})
	patch(`{"spec":{"resolved":false}}`)
	cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return resolvedReason(je) == joberrorv1.ReasonReopened })
	patch(`{"spec":{"resolved":true}}`)
	je := cluster.WaitFor(t, ns, "e", func(je *joberrorv1.JobError) bool { return resolvedReason(je) == joberrorv1.ReasonSetByUser })
	if je.Status.ResolvedBy != "" {
		t.Errorf("resolvedBy = %q from the mark of an earlier change, want it empty", je.Status.ResolvedBy)
	}
}

func TestExpiresAfterDowntime(t *testing.T) {
	ns := cluster.Namespace(t)
	first := operate(t, "--retention=25s", "--min-retention=0")
	expiry := time.Now().Add(25 * time.Second)
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "r", "job"))
	cluster.WaitObserved(t, ns, "e")
	cluster.WaitCompleted(t, ns, "r")
	stop(t, first)
	time.Sleep(time.Until(expiry.Add(2 * time.Second)))
	for _, obj := range []client.Object{harness.JobError(ns, "e", "job"), harness.Resolution(ns, "r", "job")} {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); err != nil {
			t.Fatalf("%s is gone although no operator runs: %v", obj.GetName(), err)
		}
	}
	harness.Create(t, cluster.Client, harness.JobError(ns, "later", "job"))
	operate(t, "--retention=25s", "--min-retention=0")
	for _, obj := range []client.Object{harness.JobError(ns, "e", "job"), harness.Resolution(ns, "r", "job")} {
		harness.Eventually(t, func() string {
			if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(obj), obj); !apierrors.IsNotFound(err) {
				return obj.GetName() + " is not deleted yet"
			}
			return ""
		})
	}
}

func TestNewObjectsAreNotCurrentUntilTheOperatorHasSeenThem(t *testing.T) {
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	for _, object := range []string{"je/e", "jer/all"} {
		if got := cluster.Kubectl(t, "get", object, "-n", ns, "-o", "jsonpath={.status.observedGeneration}"); got != "-1" {
			t.Errorf("%s: observedGeneration = %q, want -1", object, got)
		}
	}
	operate(t)
	cluster.WaitObserved(t, ns, "e")
	if jer := cluster.WaitCompleted(t, ns, "all"); jer.Status.ObservedGeneration != jer.Generation {
		t.Errorf("observedGeneration = %d, want %d", jer.Status.ObservedGeneration, jer.Generation)
	}
}
