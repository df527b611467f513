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

// resolved tells whether an error's status says that it is resolved.
func resolved(je *joberrorv1.JobError) bool {
	return meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionResolved)
}

func TestAnEntryResolvesEveryOpenErrorOfItsJob(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "a", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "b", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "done", "job", spec(func(s *joberrorv1.JobErrorSpec) { s.Resolved = true })))
	harness.Create(t, cluster.Client, harness.JobError(ns, "others", "other"))
	done := cluster.WaitFor(t, ns, "done", resolved)
	harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	status := cluster.WaitCompleted(t, ns, "all").Status
	if status.Matched != 2 || status.Updated != 2 || status.Unchanged != 0 || status.Failed != 0 || !slices.Equal(status.Errors, []string{"a", "b"}) {
		t.Errorf("status is %+v", status)
	}
	if status.StartedAt == nil || status.CompletedAt == nil || status.ExpiresAt == nil || status.ObservedGeneration != 1 {
		t.Errorf("times or generation are missing: %+v", status)
	}
	for _, name := range []string{"a", "b"} {
		je := cluster.WaitFor(t, ns, name, resolved)
		if je.Status.Resolution != "all" || je.Status.ResolvedBy != "admin" || je.Status.ResolvedAt == nil ||
			harness.Reason(je.Status.Conditions, joberrorv1.ConditionResolved) != joberrorv1.ReasonSetByResolution {
			t.Errorf("%s: %+v", name, je.Status)
		}
	}
	if je := cluster.WaitObserved(t, ns, "others"); je.Spec.Resolved {
		t.Error("another job's error was resolved")
	}
	if je := cluster.WaitObserved(t, ns, "done"); je.ResourceVersion != done.ResourceVersion {
		t.Error("an error that was resolved already was written")
	}
}

// What a leader leaves half done when it dies: the beginning is on record, the
// end is not. No error is counted or written twice.
func TestAnEntryThatWasBegunIsWorkedThrough(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "a", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "b", "job"))
	entry := harness.Create(t, cluster.Client, harness.Resolution(ns, "begun", "job"))
	cluster.WaitCompleted(t, ns, "begun")
	before := cluster.WaitFor(t, ns, "a", resolved)
	if err := cluster.Client.Status().Patch(t.Context(), entry, harness.MergePatch(`{"status":{"conditions":null,"completedAt":null,"updated":1}}`)); err != nil {
		t.Fatal(err)
	}
	if status := cluster.WaitCompleted(t, ns, "begun").Status; status.Updated != 2 || status.Unchanged != 0 || status.CompletedAt == nil {
		t.Errorf("status is %+v", status)
	}
	if je := cluster.WaitFor(t, ns, "a", resolved); je.ResourceVersion != before.ResourceVersion {
		t.Error("an error was written twice")
	}
}

func TestAnEntryReopens(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "a", "job", spec(func(s *joberrorv1.JobErrorSpec) { s.Resolved = true })))
	cluster.WaitFor(t, ns, "a", resolved)
	entry := harness.Resolution(ns, "again", "job")
	entry.Spec.Resolved = ptr.To(false)
	harness.Create(t, cluster.Client, entry)
	if status := cluster.WaitCompleted(t, ns, "again").Status; status.Updated != 1 {
		t.Errorf("status is %+v", status)
	}
	je := cluster.WaitFor(t, ns, "a", func(je *joberrorv1.JobError) bool { return !resolved(je) })
	if je.Spec.Resolved || je.Status.ResolvedAt != nil || je.Status.ResolvedBy != "" || je.Status.Resolution != "" {
		t.Errorf("reopening left something behind: %+v", je.Status)
	}
}

func TestAnEntryTellsWhatItCouldNotDo(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "mine", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "others", "other"))
	harness.Create(t, cluster.Client, harness.Resolution(ns, "some", "job", "mine", "others", "nobodys"))
	entry := cluster.WaitCompleted(t, ns, "some")
	want := []joberrorv1.ResolutionFailure{{Name: "nobodys", Reason: "NotFound"}, {Name: "others", Reason: "OtherJob"}}
	got := slices.Clone(entry.Status.Failures)
	for i := range got {
		if got[i].Message == "" {
			t.Errorf("%s has no message", got[i].Name)
		}
		got[i].Message = ""
	}
	if !slices.Equal(got, want) || entry.Status.Failed != 2 || entry.Status.Updated != 1 || entry.Status.Matched != 1 ||
		harness.Reason(entry.Status.Conditions, joberrorv1.ConditionComplete) != joberrorv1.ReasonSomeFailed {
		t.Errorf("status is %+v", entry.Status)
	}
	if je := cluster.WaitObserved(t, ns, "others"); je.Spec.Resolved {
		t.Error("another job's error was resolved")
	}
}

func TestAnEntryThatChangesNothingSaysSo(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Resolution(ns, "none", "job"))
	cluster.WaitCompleted(t, ns, "none")
	out, err := cluster.Run(t.Context(), nil, "get", "jer", "none", "-n", ns, "-o", "jsonpath={.status.matched}{.status.updated}{.status.unchanged}{.status.failed}")
	if err != nil || out != "0000" {
		t.Errorf("the counts are %q, %v", out, err)
	}
}

func TestALaterEntryOfTheSameNameClaimsNothing(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.JobError(ns, "e", "job"))
	for i, want := range []joberrorv1.JobErrorResolutionStatus{{Updated: 1}, {Unchanged: 1}} {
		entry := harness.Create(t, cluster.Client, harness.Resolution(ns, "fixed", "job", "e"))
		status := cluster.WaitCompleted(t, ns, "fixed").Status
		if status.Updated != want.Updated || status.Unchanged != want.Unchanged {
			t.Errorf("entry %d: status is %+v", i, status)
		}
		if err := cluster.Client.Delete(t.Context(), entry); err != nil {
			t.Fatal(err)
		}
	}
}

func TestErrorsThatComeAfterARequestAreNotPartOfIt(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	const before = 40
	for i := range before {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("before-%d", i), "job"))
	}
	harness.Create(t, cluster.Client, harness.Resolution(ns, "now", "job"))
	harness.Create(t, cluster.Client, harness.JobError(ns, "after", "job"))
	if status := cluster.WaitCompleted(t, ns, "now").Status; status.Matched != before || status.Updated != before {
		t.Errorf("status is %+v", status)
	}
	if je := cluster.WaitObserved(t, ns, "after"); je.Spec.Resolved {
		t.Error("an error that came after the request was resolved")
	}
}

func TestAnEntryInGitAppliesAgainAndAgain(t *testing.T) {
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
	for _, how := range [][]string{{"apply"}, {"apply"}, {"apply", "--server-side", "--force-conflicts"}, {"apply", "--server-side"}} {
		if _, err := cluster.Run(t.Context(), strings.NewReader(manifest), append(how, "-f", "-")...); err != nil {
			t.Fatalf("%v: %v", how, err)
		}
		cluster.WaitCompleted(t, ns, "r")
		// The manifest leaves resolved out; applying it does not reopen.
		cluster.WaitFor(t, ns, "e", resolved)
	}
}

func TestTwoPeopleResolveAtOnce(t *testing.T) {
	t.Parallel()
	ns := cluster.Namespace(t)
	const errors, people = 30, 4
	for i := range errors {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", i), "job"))
	}
	entries := make([]*joberrorv1.JobErrorResolution, people)
	var group sync.WaitGroup
	for i := range people {
		user := fmt.Sprintf("person-%d", i)
		cluster.Grant(t, ns, user, "joberror-resolver")
		as := cluster.User(t, user)
		group.Go(func() {
			entries[i] = harness.Do(t, as, "PUT", harness.JobErrorsPath(ns, "job")+"/resolve", "").Resolution(t)
		})
	}
	group.Wait()
	byEntry := map[string]string{"": ""}
	var updated int32
	for _, entry := range entries {
		byEntry[entry.Name] = entry.Spec.RequestedBy
		updated += entry.Status.Updated
	}
	if updated != errors {
		t.Errorf("%d errors were updated by %d people together, want each of the %d once", updated, people, errors)
	}
	for i := range errors {
		je := cluster.WaitFor(t, ns, fmt.Sprintf("e-%d", i), resolved)
		if by, ok := byEntry[je.Status.Resolution]; !ok || by == "" || by != je.Status.ResolvedBy || je.Generation != 2 {
			t.Errorf("%s was resolved by %q with entry %q (of %q) in generation %d", je.Name, je.Status.ResolvedBy, je.Status.Resolution, by, je.Generation)
		}
	}
}
