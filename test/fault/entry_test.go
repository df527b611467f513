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

func TestAnEntryThatWasInterruptedGoesOn(t *testing.T) {
	ns := cluster.Namespace(t)
	const errors = 300
	first := operate(t, "--concurrency=1")
	for i := range errors {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", i), "job"))
	}
	for i := range errors {
		cluster.Settled(t, ns, fmt.Sprintf("e-%d", i))
	}
	harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	harness.Eventually(t, func() string {
		if je := harness.Get(t, cluster.Client, ns, fmt.Sprintf("e-%d", errors/10), &joberrorv1.JobError{}); !je.Spec.Resolved {
			return "the entry was not taken up"
		}
		return ""
	})
	first.Kill()
	entry := harness.Get(t, cluster.Client, ns, "all", &joberrorv1.JobErrorResolution{})
	if entry.Status.CompletedAt != nil {
		t.Fatal("the entry was complete before the operator was killed; nothing was tested")
	}
	harness.Create(t, cluster.Client, harness.JobError(ns, "after", "job"))
	operate(t)
	status := cluster.Completed(t, ns, "all").Status
	if status.Matched != errors || status.Updated != errors || status.Unchanged != 0 || status.Failed != 0 {
		t.Errorf("status is %+v", status)
	}
	for i := range errors {
		je := cluster.Settled(t, ns, fmt.Sprintf("e-%d", i))
		if !je.Spec.Resolved || je.Status.Resolution != "all" || je.Generation != 2 {
			t.Errorf("%s: generation %d, %+v", je.Name, je.Generation, je.Status)
		}
	}
	if je := cluster.Settled(t, ns, "after"); je.Spec.Resolved {
		t.Error("an error that came after the request was resolved")
	}
}

func TestABulkRequestThatOutlastsItsDeadlineGoesOn(t *testing.T) {
	ns := cluster.Namespace(t)
	const errors = 100
	operate(t, "--concurrency=1", "--apiserver-wait=1ms")
	for i := range errors {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", i), "job"))
	}
	entry := harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrors(ns, "job")+"/resolve", "").Want(t, 202).Entry(t)
	if status := cluster.Completed(t, ns, entry.Name).Status; status.Updated != errors {
		t.Errorf("status is %+v", status)
	}
}

func TestALongEntryShowsItsProgress(t *testing.T) {
	ns := cluster.Namespace(t)
	const errors = 300
	operate(t, "--concurrency=1")
	for i := range errors {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e-%d", i), "job"))
	}
	began := time.Now()
	harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	harness.Eventually(t, func() string {
		entry := harness.Get(t, cluster.Client, ns, "all", &joberrorv1.JobErrorResolution{})
		if done := entry.Status.Updated; done == 0 || done == errors {
			return fmt.Sprintf("it tells of %d errors", done)
		}
		if reason := harness.Reason(entry.Status.Conditions, joberrorv1.ConditionComplete); reason != joberrorv1.ReasonInProgress {
			return "its reason is " + reason
		}
		return ""
	})
	cluster.Completed(t, ns, "all")
	most, wrote := int(time.Since(began)/time.Second)+1, 0
	for event := range cluster.Audit(t) {
		if o := event.ObjectRef; o != nil && o.Namespace == ns && o.Name == "all" && o.Subresource == "status" {
			wrote++
		}
	}
	if wrote < 2 || wrote > most {
		t.Errorf("its status was written %d times; want the end, and at most one a second: %d", wrote, most)
	}
}
