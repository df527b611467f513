// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package install

import (
	"net/http"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// Both replicas stop, the leader as well as the replica that serves the request. The
// request is answered first. The next leader finishes the work that the old one leaves.
func TestDrainAnswersARunningRequest(t *testing.T) {
	const (
		n = 500
		// grace is the time that the manifest leaves after its preStop hook.
		grace = 50 * time.Second
	)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	cluster.CreateMany(t, ns, "job", n)
	responses := make(chan harness.Response, 1)
	go func() {
		responses <- harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrorsPath(ns, "job")+"/resolve", "")
	}()
	harness.Eventually(t, func() string {
		var list joberrorv1.JobErrorResolutionList
		if err := cluster.Client.List(t.Context(), &list, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
		if len(list.Items) == 0 || list.Items[0].Status.StartedAt == nil {
			return "the resolution has not started"
		}
		return ""
	})
	select {
	case early := <-responses:
		t.Fatalf("the request was answered before the replicas stopped, so nothing is tested: %d %s", early.Code, early.Body)
	default:
	}
	var stops errgroup.Group
	for _, name := range cluster.OperatorPods(t) {
		process := cluster.Pods.Process(name)
		stops.Go(func() error { return process.StopWithin(grace) })
	}
	if err := stops.Wait(); err != nil {
		t.Error(err)
	}
	response := <-responses
	// A slow machine may need more than the half minute that a request gets. The
	// resolution then continues.
	if response.Code != http.StatusOK && response.Code != http.StatusAccepted {
		t.Fatalf("response = %d %s, want 200 or 202", response.Code, response.Body)
	}
	jer := response.Resolution(t)
	if completed := cluster.WaitCompleted(t, ns, jer.Name); completed.Status.Updated != n {
		t.Errorf("status = %+v, want %d updated", completed.Status, n)
	}
	if err := cluster.WaitInstalled(t.Context()); err != nil {
		t.Fatal(err)
	}
}
