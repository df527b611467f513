// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestContinuesAnInterruptedResolution(t *testing.T) {
	ns := cluster.Namespace(t)
	const errorCount = 300
	first := operate(t, "--concurrency=1")
	for i := range errorCount {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%03d", i), "job"))
	}
	// The controller fills in what a slow webhook did not, which is a generation of its own.
	generations := make([]int64, errorCount)
	for i := range errorCount {
		generations[i] = cluster.WaitObserved(t, ns, fmt.Sprintf("e-%03d", i)).Generation
	}
	harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	// The errors are resolved in the order of their names.
	harness.Eventually(t, func() string {
		if je := harness.Get(t, cluster.Client, ns, fmt.Sprintf("e-%03d", errorCount/10), &joberrorv1.JobError{}); !je.Spec.Resolved {
			return "the resolution has not started"
		}
		return ""
	})
	first.Kill()
	jer := harness.Get(t, cluster.Client, ns, "all", &joberrorv1.JobErrorResolution{})
	if jer.Status.CompletedAt != nil {
		t.Fatal("the resolution was complete before the operator was killed, so nothing is tested")
	}
	harness.Create(t, cluster.Client, harness.JobError(ns, "after", "job"))
	operate(t)
	status := cluster.WaitCompleted(t, ns, "all").Status
	if status.Matched != errorCount || status.Updated != errorCount || status.Unchanged != 0 || status.Failed != 0 {
		t.Errorf("status = %+v, want %d matched and updated", status, errorCount)
	}
	for i := range errorCount {
		je := cluster.WaitObserved(t, ns, fmt.Sprintf("e-%03d", i))
		if !je.Spec.Resolved || je.Status.Resolution != "all" || je.Generation != generations[i]+1 {
			t.Errorf("%s: generation %d, status %+v; want it resolved once, by resolution all", je.Name, je.Generation, je.Status)
		}
	}
	if je := cluster.WaitObserved(t, ns, "after"); je.Spec.Resolved {
		t.Error("an error that was reported after the request is resolved")
	}
}

// The operator is down for longer than the store remembers, so each error itself has to show
// whether it was open when the request was made.
func TestResolutionAfterCompactionLeavesLaterChanges(t *testing.T) {
	ns := cluster.Namespace(t)
	patch := func(name, spec string) {
		t.Helper()
		if err := cluster.Client.Patch(t.Context(), harness.JobError(ns, name, "job"), harness.MergePatch(`{"spec":`+spec+`}`)); err != nil {
			t.Fatal(err)
		}
	}
	waitFor := func(name string, resolved metav1.ConditionStatus) {
		t.Helper()
		cluster.WaitFor(t, ns, name, func(je *joberrorv1.JobError) bool {
			return meta.IsStatusConditionPresentAndEqual(je.Status.Conditions, joberrorv1.ConditionResolved, resolved)
		})
	}
	first := operate(t)
	for _, name := range []string{"open", "reopened-before", "reopened-after", "resolved-after"} {
		je := harness.Create(t, cluster.Client, harness.JobError(ns, name, "job"))
		waitFor(name, metav1.ConditionFalse)
		cluster.Backdate(t, "joberrors", je, time.Hour)
	}
	for _, name := range []string{"reopened-before", "reopened-after"} {
		patch(name, `{"resolved":true}`)
		waitFor(name, metav1.ConditionTrue)
	}
	patch("reopened-before", `{"resolved":false}`)
	waitFor("reopened-before", metav1.ConditionFalse)
	stop(t, first)

	jer := harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	cluster.Backdate(t, "joberrorresolutions", jer, time.Minute)
	harness.Create(t, cluster.Client, harness.Resolution(ns, "named", "job", "reopened-after"))
	patch("open", `{"message":"corrected"}`)
	patch("reopened-after", `{"resolved":false}`)
	patch("resolved-after", `{"resolved":true}`)
	harness.Create(t, cluster.Client, harness.JobError(ns, "created-after", "job"))
	jer = harness.Get(t, cluster.Client, ns, "all", &joberrorv1.JobErrorResolution{})
	cluster.Compact(t, ns, jer.ResourceVersion)
	operate(t)

	status := cluster.WaitCompleted(t, ns, "all").Status
	if status.Matched != 3 || status.Updated != 2 || status.Unchanged != 1 || status.Failed != 0 {
		t.Errorf("status = %+v, want 2 updated, and 1 unchanged that was resolved after the request", status)
	}
	if status := cluster.WaitCompleted(t, ns, "named").Status; status.Updated != 0 || status.Unchanged != 1 {
		t.Errorf("status = %+v, want the named error unchanged", status)
	}
	for name, want := range map[string]bool{"open": true, "reopened-before": true, "resolved-after": true, "reopened-after": false, "created-after": false} {
		if je := cluster.WaitObserved(t, ns, name); je.Spec.Resolved != want {
			t.Errorf("%s: resolved = %t, want %t", name, je.Spec.Resolved, want)
		}
	}
}

// Several requests about the same errors, as from Git, do not work against each other.
func TestEqualResolutionsRunOneAfterTheOther(t *testing.T) {
	ns := cluster.Namespace(t)
	const errorCount, requests = 150, 4
	operate(t, "--concurrency=1")
	for i := range errorCount {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", i), "job"))
	}
	for i := range requests {
		harness.Create(t, cluster.Client, harness.Resolution(ns, fmt.Sprintf("all-%d", i), "job"))
	}
	var updated int32
	var ended time.Time
	for i := range requests {
		status := cluster.WaitCompleted(t, ns, fmt.Sprintf("all-%d", i)).Status
		updated += status.Updated
		if status.StartedAt.Time.Before(ended) {
			t.Errorf("all-%d started at %s, before the previous resolution ended at %s", i, status.StartedAt, ended)
		}
		ended = status.CompletedAt.Time
		if status.Matched != status.Updated+status.Unchanged || status.Failed != 0 {
			t.Errorf("status = %+v, want all errors updated or unchanged", status)
		}
	}
	if updated != errorCount {
		t.Errorf("updated = %d in total, want each of the %d errors once", updated, errorCount)
	}
	writes := 0
	for event := range cluster.Audit(t) {
		if o := event.ObjectRef; o != nil && o.Namespace == ns && o.Resource == "joberrors" && o.Subresource == "" && event.Verb == "patch" {
			writes++
		}
	}
	if writes > errorCount+errorCount/10 {
		t.Errorf("errors were patched %d times, want about %d: later requests find them resolved", writes, errorCount)
	}
}

func TestContinuesABulkRequestPastItsDeadline(t *testing.T) {
	ns := cluster.Namespace(t)
	const errorCount = 100
	operate(t, "--concurrency=1", "--apiserver-wait=1ms")
	for i := range errorCount {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", i), "job"))
	}
	jer := harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrorsPath(ns, "job")+"/resolve", "").Want(t, 202).Resolution(t)
	if status := cluster.WaitCompleted(t, ns, jer.Name).Status; status.Updated != errorCount {
		t.Errorf("status = %+v, want %d updated", status, errorCount)
	}
}

func TestLongResolutionShowsItsProgress(t *testing.T) {
	ns := cluster.Namespace(t)
	const errorCount = 300
	operate(t, "--concurrency=1")
	for i := range errorCount {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", i), "job"))
	}
	began := time.Now()
	harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	harness.Eventually(t, func() string {
		jer := harness.Get(t, cluster.Client, ns, "all", &joberrorv1.JobErrorResolution{})
		if updated := jer.Status.Updated; updated == 0 || updated == errorCount {
			return fmt.Sprintf("updated = %d, want part of the errors", updated)
		}
		if reason := harness.Reason(jer.Status.Conditions, joberrorv1.ConditionComplete); reason != joberrorv1.ReasonInProgress {
			return "reason = " + reason
		}
		return ""
	})
	cluster.WaitCompleted(t, ns, "all")
	maxWrites, writes := int(time.Since(began)/time.Second)+1, 0
	for event := range cluster.Audit(t) {
		if o := event.ObjectRef; o != nil && o.Namespace == ns && o.Name == "all" && o.Subresource == "status" {
			writes++
		}
	}
	if writes < 2 || writes > maxWrites {
		t.Errorf("status was written %d times, want between 2 and %d: at most once a second", writes, maxWrites)
	}
}
