// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/test/harness"
)

// leader is the pod that wrote the lease last.
func leader(t *testing.T) string {
	t.Helper()
	name := ""
	for event := range cluster.Audit(t) {
		if event.User.Username != attribution.OperatorUser || event.ObjectRef == nil || event.ObjectRef.Resource != "leases" || event.ResponseStatus.Code != http.StatusOK {
			continue
		}
		if pods := event.User.Extra["authentication.kubernetes.io/pod-name"]; len(pods) == 1 {
			name = pods[0]
		}
	}
	return name
}

func TestTheLeaderIsKilledAndNothingIsLost(t *testing.T) {
	const errors = 200
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	for i := range errors {
		harness.Create(t, cluster.Client, harness.JobError(ns, fmt.Sprintf("e%d", i), "job"))
	}
	entry := harness.Create(t, cluster.Client, harness.Resolution(ns, "all", "job"))
	harness.Eventually(t, func() string {
		if err := cluster.Client.Get(t.Context(), client.ObjectKeyFromObject(entry), entry); err != nil {
			t.Fatal(err)
		}
		if entry.Status.StartedAt == nil {
			return "the entry was not taken up"
		}
		return ""
	})
	before := leader(t)
	process := cluster.Pods.Process(before)
	if process == nil {
		t.Fatalf("the leader %q has no process", before)
	}
	process.Kill()
	killed := time.Now()
	harness.Create(t, cluster.Client, harness.JobError(ns, "meanwhile", "job"))
	cluster.Settled(t, ns, "meanwhile")
	t.Logf("another process led %s later", time.Since(killed).Round(time.Second))
	done := cluster.Completed(t, ns, entry.Name)
	if done.Status.Matched != errors || done.Status.Failed != 0 {
		t.Errorf("the entry's status is %+v", done.Status)
	}
	for i := range errors {
		cluster.When(t, ns, fmt.Sprintf("e%d", i), func(je *joberrorv1.JobError) bool { return je.Status.Resolution == entry.Name })
	}
	kubectl(t, "rollout", "status", deployment, "--timeout=120s")
}
