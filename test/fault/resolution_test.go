// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestContinuesAnInterruptedResolution(t *testing.T) {
	ns := cluster.Namespace(t)
	const errorCount = 300
	first := operate(t, "--concurrency=1")
	for i := range errorCount {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", i), "job"))
	}
	for i := range errorCount {
		cluster.WaitObserved(t, ns, fmt.Sprintf("e-%d", i))
	}
	harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	harness.Eventually(t, func() string {
		if je := harness.Get(t, cluster.Client, ns, fmt.Sprintf("e-%d", errorCount/10), &joberrorv1.JobError{}); !je.Spec.Resolved {
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
		je := cluster.WaitObserved(t, ns, fmt.Sprintf("e-%d", i))
		if !je.Spec.Resolved || je.Status.Resolution != "all" || je.Generation != 2 {
			t.Errorf("%s: generation %d, status %+v; want it resolved once, by resolution all", je.Name, je.Generation, je.Status)
		}
	}
	if je := cluster.WaitObserved(t, ns, "after"); je.Spec.Resolved {
		t.Error("an error that was reported after the request is resolved")
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
