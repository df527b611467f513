// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/utils/ptr"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// isResolved reports whether an error's Resolved condition is true.
func isResolved(je *joberrorv1.JobError) bool {
	return meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionResolved)
}

func TestResolvesEveryOpenErrorOfTheJob(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "a", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "b", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "done", "job", withSpec(func(s *joberrorv1.JobErrorSpec) { s.Resolved = true })))
	harness.Create(t, cluster.Client, harness.JobError(ns, "others", "other"))
	done := cluster.WaitFor(t, ns, "done", isResolved)
	harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	status := cluster.WaitCompleted(t, ns, "all").Status
	if status.Matched != 2 || status.Updated != 2 || status.Unchanged != 0 || status.Failed != 0 || !slices.Equal(status.Errors, []string{"a", "b"}) {
		t.Errorf("status = %+v, want a and b matched and updated", status)
	}
	if status.StartedAt == nil || status.CompletedAt == nil || status.ExpiresAt == nil || status.ObservedGeneration != 1 {
		t.Errorf("status = %+v, want all times and observedGeneration 1", status)
	}
	for _, name := range []string{"a", "b"} {
		je := cluster.WaitFor(t, ns, name, isResolved)
		if je.Status.Resolution != "all" || je.Status.ResolvedBy != "admin" || je.Status.ResolvedAt == nil ||
			harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved) != joberrorv1.ReasonSetByResolution {
			t.Errorf("status of %s = %+v, want it resolved by admin with the resolution all", name, je.Status)
		}
	}
	if je := cluster.WaitObserved(t, ns, "others"); je.Spec.Resolved {
		t.Error("another job's error was resolved")
	}
	if je := cluster.WaitObserved(t, ns, "done"); je.ResourceVersion != done.ResourceVersion {
		t.Error("the resolution changed an error that was already resolved")
	}
}

// A leader that dies may leave a resolution that has started but is not complete. The next
// leader completes it, and counts and updates no error twice.
func TestContinuesAnInterruptedResolution(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "a", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "b", "job"))
	jer := harness.Create(t, cluster.Client, harness.Resolution(ns, "interrupted", "job"))
	cluster.WaitCompleted(t, ns, "interrupted")
	before := cluster.WaitFor(t, ns, "a", isResolved)
	if err := cluster.Client.Status().Patch(t.Context(), jer, harness.MergePatch(`{"status":{"conditions":null,"completedAt":null,"updated":1}}`)); err != nil {
		t.Fatal(err)
	}
	if status := cluster.WaitCompleted(t, ns, "interrupted").Status; status.Updated != 2 || status.Unchanged != 0 || status.CompletedAt == nil {
		t.Errorf("status = %+v, want it completed with 2 updated", status)
	}
	if je := cluster.WaitFor(t, ns, "a", isResolved); je.ResourceVersion != before.ResourceVersion {
		t.Error("the resolution updated an error twice")
	}
}

func TestResolutionReopensErrors(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "a", "job", withSpec(func(s *joberrorv1.JobErrorSpec) { s.Resolved = true })))
	cluster.WaitFor(t, ns, "a", isResolved)
	jer := harness.Resolution(ns, "again", "job")
	jer.Spec.Resolved = ptr.To(false)
	harness.Create(t, cluster.Client, jer)
	if status := cluster.WaitCompleted(t, ns, "again").Status; status.Updated != 1 {
		t.Errorf("status = %+v, want 1 updated", status)
	}
	je := cluster.WaitFor(t, ns, "a", func(je *joberrorv1.JobError) bool { return !isResolved(je) })
	if je.Spec.Resolved || je.Status.ResolvedAt != nil || je.Status.ResolvedBy != "" || je.Status.Resolution != "" {
		t.Errorf("status = %+v, want it open, without resolvedAt, resolvedBy and resolution", je.Status)
	}
}

func TestResolutionListsItsFailures(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "mine", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "others", "other"))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "some", "job", "mine", "others", "nobodys"))
	jer := cluster.WaitCompleted(t, ns, "some")
	want := []joberrorv1.ResolutionFailure{{Name: "nobodys", Reason: "NotFound"}, {Name: "others", Reason: "OtherJob"}}
	got := slices.Clone(jer.Status.Failures)
	for i := range got {
		if got[i].Message == "" {
			t.Errorf("the failure of %s has no message", got[i].Name)
		}
		got[i].Message = ""
	}
	if !slices.Equal(got, want) || jer.Status.Failed != 2 || jer.Status.Updated != 1 || jer.Status.Matched != 1 ||
		harness.Reason(jer.Status.Conditions, joberrorv1.ConditionComplete) != joberrorv1.ReasonSomeFailed {
		t.Errorf("status = %+v, want 1 updated and the failures %v", jer.Status, want)
	}
	if je := cluster.WaitObserved(t, ns, "others"); je.Spec.Resolved {
		t.Error("another job's error was resolved")
	}
}

func TestResolutionWithoutErrorsShowsZeroCounts(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Resolution(ns, "none", "job"))
	cluster.WaitCompleted(t, ns, "none")
	out, err := cluster.Run(t.Context(), nil, "get", "jer", "none", "-n", ns, "-o", "jsonpath={.status.matched}{.status.updated}{.status.unchanged}{.status.failed}")
	if err != nil || out != "0000" {
		t.Errorf("counts = %q, want 0000: %v", out, err)
	}
}

func TestLaterResolutionWithTheSameNameClaimsNothing(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	for i, want := range []joberrorv1.JobErrorResolutionStatus{{Updated: 1}, {Unchanged: 1}} {
		jer := harness.Create(t, cluster.Client, harness.Resolution(ns, "fixed", "job", "e"))
		status := cluster.WaitCompleted(t, ns, "fixed").Status
		if status.Updated != want.Updated || status.Unchanged != want.Unchanged {
			t.Errorf("resolution %d: status = %+v, want %d updated and %d unchanged", i, status, want.Updated, want.Unchanged)
		}
		if err := cluster.Client.Delete(t.Context(), jer); err != nil {
			t.Fatal(err)
		}
	}
}

func TestResolvesOnlyErrorsOlderThanTheResolution(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	const before = 40
	for i := range before {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("before-%d", i), "job"))
	}
	harness.Create(t, cluster.Client, harness.Resolution(ns, "now", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "after", "job"))
	if status := cluster.WaitCompleted(t, ns, "now").Status; status.Matched != before || status.Updated != before {
		t.Errorf("status = %+v, want %d matched and updated", status, before)
	}
	if je := cluster.WaitObserved(t, ns, "after"); je.Spec.Resolved {
		t.Error("an error created after the resolution was resolved")
	}
}

func TestManifestsCanBeAppliedRepeatedly(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	manifest := fmt.Sprintf(`
apiVersion: joberror.io/v1
kind: JobError
metadata: {name: e, namespace: %[1]s}
spec: {_jobId: job, message: from Git}
---
apiVersion: joberror.io/v1
kind: JobErrorResolution
metadata: {name: r, namespace: %[1]s}
spec: {_jobId: job, reason: from Git}
`, ns)
	for _, args := range [][]string{{"apply"}, {"apply"}, {"apply", "--server-side", "--force-conflicts"}, {"apply", "--server-side"}} {
		if _, err := cluster.Run(t.Context(), strings.NewReader(manifest), append(args, "-f", "-")...); err != nil {
			t.Fatalf("kubectl %v: %v", args, err)
		}
		cluster.WaitCompleted(t, ns, "r")
		// The manifest has no resolved field, so applying it does not reopen the error.
		cluster.WaitFor(t, ns, "e", isResolved)
	}
}

func TestConcurrentResolutionsUpdateEachErrorOnce(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	const errorCount, users = 30, 4
	for i := range errorCount {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", i), "job"))
	}
	// The controller fills in what a slow webhook did not, which is a generation of its own.
	generations := make([]int64, errorCount)
	for i := range errorCount {
		generations[i] = cluster.WaitObserved(t, ns, fmt.Sprintf("e-%d", i)).Generation
	}
	jers := make([]*joberrorv1.JobErrorResolution, users)
	var group sync.WaitGroup
	for i := range users {
		name := fmt.Sprintf("user-%d", i)
		cluster.Grant(t, ns, name, "joberror-resolver")
		user := cluster.User(t, name)
		group.Go(func() {
			jers[i] = harness.Do(t, user, "PUT", harness.JobErrorsPath(ns, "job")+"/resolve", "").Resolution(t)
		})
	}
	group.Wait()
	userByResolution := map[string]string{"": ""}
	var updated int32
	for _, jer := range jers {
		userByResolution[jer.Name] = jer.Spec.RequestedBy
		updated += jer.Status.Updated
	}
	if updated != errorCount {
		t.Errorf("%d resolutions updated %d errors in total, want each of the %d errors once", users, updated, errorCount)
	}
	for i := range errorCount {
		je := cluster.WaitFor(t, ns, fmt.Sprintf("e-%d", i), isResolved)
		if by, ok := userByResolution[je.Status.Resolution]; !ok || by == "" || by != je.Status.ResolvedBy || je.Generation != generations[i]+1 {
			t.Errorf("%s: resolvedBy = %q, resolution = %q of user %q, generation = %d; want one user in generation %d",
				je.Name, je.Status.ResolvedBy, je.Status.Resolution, by, je.Generation, generations[i]+1)
		}
	}
}
