// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"fmt"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func TestLosesNothingWhenTheLeaderIsKilled(t *testing.T) {
	const errorCount = 200
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	for i := range errorCount {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e%d", i), "job"))
	}
	jer := harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	harness.Eventually(t, func() string {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(jer), jer); err != nil {
			t.Fatal(err)
		}
		if jer.Status.StartedAt == nil {
			return "the resolution has not started"
		}
		return ""
	})
	previous := cluster.Leader(t)
	process := cluster.Pods.Process(previous)
	if process == nil {
		t.Fatalf("the leader %q has no process", previous)
	}
	process.Kill()
	killed := time.Now()
	harness.Create(t, cluster.Client, harness.JobError(ns, "after-kill", "job"))
	cluster.WaitObserved(t, ns, "after-kill")
	t.Logf("another replica led after %s", time.Since(killed).Round(time.Second))
	completed := cluster.WaitCompleted(t, ns, jer.Name)
	if completed.Status.Matched != errorCount || completed.Status.Failed != 0 {
		t.Errorf("status = %+v, want %d matched and none failed", completed.Status, errorCount)
	}
	for i := range errorCount {
		cluster.WaitFor(t, ns, fmt.Sprintf("e%d", i), func(je *joberrorv1.JobError) bool { return je.Status.Resolution == jer.Name })
	}
	kubectl(t, "rollout", "status", deployment, "--timeout=120s")
}
