// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/restore"
	"joberror.io/operator/test/harness"
)

// history holds what errors and a resolution say about the past.
type history struct {
	Errors     map[string]joberrorv1.JobErrorStatus
	Resolution joberrorv1.JobErrorResolutionStatus
}

// makeHistory creates a captured error, an error that alice resolved, and one that alice
// resolved with the resolution "sweep" and then reopened.
func makeHistory(t *testing.T, ns string) history {
	t.Helper()
	cluster.Grant(t, ns, "alice", "edit")
	alice := cluster.ClientFor(t, "alice")
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3")))
	cluster.WaitErrors(t, ns, harness.Code, "BackoffLimitExceeded", "ExitCode:3")
	for _, name := range []string{"resolved", "swept"} {
		harness.Create(t, alice, harness.JobError(ns, name, "job"))
		cluster.WaitFor(t, ns, name, withLinkReason(joberrorv1.ReasonJobFound))
	}
	setResolved(t, alice, ns, "resolved", true)
	cluster.WaitFor(t, ns, "resolved", isResolved)
	harness.Create(t, alice, harness.Resolution(ns, "sweep", "job", "swept"))
	cluster.WaitCompleted(t, ns, "sweep")
	cluster.WaitFor(t, ns, "swept", isResolved)
	setResolved(t, alice, ns, "swept", false)
	cluster.WaitFor(t, ns, "swept", withResolvedReason(joberrorv1.ReasonReopened))
	return historyOf(t, ns)
}

func setResolved(t *testing.T, c client.Client, ns, name string, resolved bool) {
	t.Helper()
	if err := c.Patch(t.Context(), harness.JobError(ns, name, "job"), harness.MergePatch(fmt.Sprintf(`{"spec":{"resolved":%t}}`, resolved))); err != nil {
		t.Fatal(err)
	}
}

// withResolvedReason returns a condition for WaitFor: the condition Resolved has a reason.
func withResolvedReason(reason string) func(*joberrorv1.JobError) bool {
	return func(je *joberrorv1.JobError) bool {
		return harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved) == reason
	}
}

// historyOf returns the history in a namespace, without what describes the objects rather
// than the past.
func historyOf(t *testing.T, ns string) history {
	t.Helper()
	h := history{Errors: map[string]joberrorv1.JobErrorStatus{}}
	for _, je := range cluster.Errors(t, ns) {
		je.Status.ObservedGeneration = 0
		je.Status.Conditions = pastOf(je.Status.Conditions)
		h.Errors[je.Name] = je.Status
	}
	h.Resolution = cluster.WaitCompleted(t, ns, "sweep").Status
	h.Resolution.Conditions, h.Resolution.ExpiresAt = pastOf(h.Resolution.Conditions), nil
	return h
}

// pastOf returns the conditions that a restored object keeps. Whether the Job exists is not
// among them.
func pastOf(conditions []metav1.Condition) []metav1.Condition {
	var past []metav1.Condition
	for _, c := range conditions {
		if c.Type != joberrorv1.ConditionLinked {
			c.ObservedGeneration = 0
			past = append(past, c)
		}
	}
	return past
}

// waitRestored waits until all errors are processed, and fails the test if their history is
// not the wanted one.
func waitRestored(t *testing.T, ns string, want history) {
	t.Helper()
	for name := range want.Errors {
		cluster.WaitFor(t, ns, name, func(je *joberrorv1.JobError) bool { return !restore.IsRestored(je) && je.Status.ExpiresAt != nil })
	}
	if got := historyOf(t, ns); !equality.Semantic.DeepEqual(got, want) {
		t.Errorf("history =\n%+v\nwant\n%+v", got, want)
	}
	if jer := cluster.WaitCompleted(t, ns, "sweep"); jer.Spec.RequestedBy != "alice" {
		t.Errorf("requestedBy = %q, want alice", jer.Spec.RequestedBy)
	}
	if je := cluster.WaitObserved(t, ns, "swept"); je.Spec.Resolved {
		t.Error("the restored resolution was carried out again")
	}
}

func TestRestoresABackup(t *testing.T) {
	t.Parallel()
	inBothForms(t, restoresABackup)
}

func restoresABackup(t *testing.T, ns string) {
	want := makeHistory(t, ns)
	other := cluster.Namespace(t)
	dir := t.TempDir()
	backup := filepath.Join(dir, "backup.yaml")
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// These are the commands in docs/operations.md.
	write("backup.yaml", cluster.Kubectl(t, "get", "joberrors,joberrorresolutions,joberrorretries", "-n", ns, "-o", "yaml"))
	write("kustomization.yaml", "namespace: "+other+"\nresources: [backup.yaml]\n")
	cluster.Kubectl(t, "delete", "joberrors,joberrorresolutions,joberrorretries", "--all", "-n", ns)

	_, err := cluster.Run(t.Context(), nil, "create", "--dry-run=server", "-f", backup, "--as=alice")
	if err == nil || !strings.Contains(err.Error(), "joberror.io/captured") {
		t.Errorf("alice restores a captured error: error = %v, want a refusal of joberror.io/captured", err)
	}
	cluster.Grant(t, ns, "carol", "joberror-restorer")
	cluster.Kubectl(t, "create", "-f", backup, "--as=carol")
	waitRestored(t, ns, want)
	je := cluster.WaitFor(t, ns, "resolved", withLinkReason(joberrorv1.ReasonJobFound))
	if len(je.OwnerReferences) != 2 || !ownedByNamespace(t, je) {
		t.Errorf("owners = %v, want the Job and the Namespace", je.OwnerReferences)
	}

	cluster.Grant(t, other, "carol", "joberror-restorer")
	cluster.Kubectl(t, "create", "-k", dir, "--as=carol")
	waitRestored(t, other, want)
	je = cluster.WaitFor(t, other, "resolved", withLinkReason(joberrorv1.ReasonJobDeleted))
	if len(je.OwnerReferences) != 0 {
		t.Errorf("owners = %v, want none of the other namespace's", je.OwnerReferences)
	}

	// The restored error is an ordinary error.
	setResolved(t, cluster.ClientFor(t, "alice"), ns, "resolved", false)
	je = cluster.WaitFor(t, ns, "resolved", withResolvedReason(joberrorv1.ReasonReopened))
	if je.Status.ResolvedBy != "" || je.Annotations[joberrorv1.AnnotationResolvedBy] != "alice" {
		t.Errorf("status = %+v, annotations = %v, want it reopened by alice", je.Status, je.Annotations)
	}
}

// veleroCreate creates a copy of an object as Velero does: with the labels, annotations and
// spec, and without owners and status.
func veleroCreate[T client.Object](t *testing.T, backedUp, empty T) T {
	t.Helper()
	empty.SetNamespace(backedUp.GetNamespace())
	empty.SetName(backedUp.GetName())
	empty.SetAnnotations(backedUp.GetAnnotations())
	empty.SetLabels(map[string]string{"velero.io/backup-name": "b", "velero.io/restore-name": "r"})
	for key, value := range backedUp.GetLabels() {
		empty.GetLabels()[key] = value
	}
	return harness.Create(t, cluster.Client, empty)
}

func TestRestoresAsVeleroDoes(t *testing.T) {
	t.Parallel()
	for name, withStatus := range map[string]bool{"with the status": true, "without the status": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBothForms(t, func(t *testing.T, ns string) { restoresAsVeleroDoes(t, ns, withStatus) })
		})
	}
}

func restoresAsVeleroDoes(t *testing.T, ns string, withStatus bool) {
	want := makeHistory(t, ns)
	backup := cluster.Errors(t, ns)
	sweep := cluster.WaitCompleted(t, ns, "sweep")
	cluster.Kubectl(t, "delete", "joberrors,joberrorresolutions,joberrorretries", "--all", "-n", ns)
	for _, je := range backup {
		created := veleroCreate(t, &je, &joberrorv1.JobError{Spec: je.Spec})
		if created.Status = je.Status; withStatus {
			if err := cluster.Client.Status().Update(t.Context(), created); err != nil {
				t.Fatal(err)
			}
		}
	}
	created := veleroCreate(t, sweep, &joberrorv1.JobErrorResolution{Spec: sweep.Spec})
	if created.Status = sweep.Status; withStatus {
		if err := cluster.Client.Status().Update(t.Context(), created); err != nil {
			t.Fatal(err)
		}
		waitRestored(t, ns, want)
		return
	}
	if jer := cluster.WaitCompleted(t, ns, "sweep"); harness.Reason(jer.Status.Conditions, joberrorv1.ConditionComplete) != joberrorv1.ReasonRestored {
		t.Errorf("conditions = %v, want Complete with the reason Restored", jer.Status.Conditions)
	}
	if je := cluster.WaitObserved(t, ns, "swept"); je.Spec.Resolved {
		t.Error("the restored resolution was carried out again")
	}
	if je := cluster.WaitFor(t, ns, "resolved", isResolved); je.Status.ResolvedBy != "alice" {
		t.Errorf("resolvedBy = %q, want alice", je.Status.ResolvedBy)
	}
}

func TestIgnoresTheStatusInAManifest(t *testing.T) {
	t.Parallel()
	inBothForms(t, func(t *testing.T, ns string) {
		cluster.Grant(t, ns, "alice", "edit")
		alice := cluster.ClientFor(t, "alice")
		je := harness.JobError(ns, "e", "job")
		at := metav1.Now()
		je.Status = joberrorv1.JobErrorStatus{ExpiresAt: &at, ResolvedAt: &at, ResolvedBy: "bob", Occurrences: 7}
		harness.Create(t, alice, je)
		if je := cluster.WaitObserved(t, ns, "e"); je.Status.ResolvedBy != "" || je.Status.Occurrences != 0 || je.Spec.UserID != "alice" {
			t.Errorf("error = %+v, want alice's, without the status of the manifest", je)
		}
		jer := harness.Resolution(ns, "r", "job")
		jer.Status.StartedAt, jer.Status.CompletedAt, jer.Status.Updated = &at, &at, 7
		harness.Create(t, alice, jer)
		if jer := cluster.WaitCompleted(t, ns, "r"); jer.Status.Updated != 1 || jer.Spec.RequestedBy != "alice" {
			t.Errorf("resolution = %+v, want it carried out for alice", jer)
		}
	})
}

func TestOnlyTheOperatorWritesTheStatus(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cluster.Kubectl(t, "create", "role", "status", "-n", ns, "--verb=get,patch", "--resource=joberrors.joberror.io/status,joberrorresolutions.joberror.io/status")
	cluster.Kubectl(t, "create", "rolebinding", "status", "-n", ns, "--role=status", "--user=mallory")
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "r", "job"))
	mallory := cluster.ClientFor(t, "mallory")
	for _, obj := range []client.Object{harness.JobError(ns, "e", "job"), harness.Resolution(ns, "r", "job")} {
		harness.Eventually(t, func() string {
			err := mallory.Status().Patch(t.Context(), obj, harness.MergePatch(`{"status":{"expiresAt":"2099-01-01T00:00:00Z"}}`))
			if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), "only the operator may write it") {
				return fmt.Sprintf("patch the status of %s: error = %v, want the policy's refusal", obj.GetName(), err)
			}
			return ""
		})
	}
}

func TestReservesWhatTheOperatorTrusts(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	cluster.Grant(t, ns, "mallory", "edit")
	mallory := cluster.ClientFor(t, "mallory")
	harness.Create(t, cluster.Client, harness.Job(ns, "job", harness.Failing("3")))
	captured := cluster.WaitErrors(t, ns, harness.Code, "BackoffLimitExceeded", "ExitCode:3")[0]
	for field, keys := range map[string][]string{
		"labels":      {joberrorv1.LabelCaptured, joberrorv1.LabelJobUID, joberrorv1.LabelCronJobName},
		"annotations": {joberrorv1.AnnotationOccurrence, joberrorv1.AnnotationRetention, joberrorv1.AnnotationRestoredStatus},
	} {
		for _, key := range keys {
			forged := harness.JobError(ns, "forged", "job")
			forged.Labels, forged.Annotations = map[string]string{key: "x"}, nil
			if field == "annotations" {
				forged.Labels, forged.Annotations = nil, map[string]string{key: "x"}
			}
			if err := mallory.Create(t.Context(), forged); !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), field+"["+key+"]") {
				t.Errorf("create with %s: error = %v, want a refusal that names it", key, err)
			}
			for _, value := range []string{`"x"`, `null`} {
				err := mallory.Patch(t.Context(), captured.DeepCopy(), harness.MergePatch(`{"metadata":{"`+field+`":{"`+key+`":`+value+`}}}`))
				_, had := map[string]map[string]string{"labels": captured.Labels, "annotations": captured.Annotations}[field][key]
				if refused := apierrors.IsForbidden(err); refused != (had || value != `null`) {
					t.Errorf("set %s to %s: error = %v", key, value, err)
				}
			}
		}
	}
	// A manifest that was exported from the cluster can be applied to it.
	manifest := filepath.Join(t.TempDir(), "captured.yaml")
	if err := os.WriteFile(manifest, []byte(cluster.Kubectl(t, "get", "je", captured.Name, "-n", ns, "-o", "yaml")), 0o600); err != nil {
		t.Fatal(err)
	}
	cluster.Kubectl(t, "apply", "-f", manifest, "--as=mallory")
	cluster.Kubectl(t, "annotate", "je", captured.Name, "-n", ns, "joberror.io/auto-resolve=false", "--as=mallory")
}
