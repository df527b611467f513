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

// Both replicas are told to end, the one that leads as well as the one that has
// the request: the request is answered first, and what the leader leaves is done
// by the next one.
func TestARequestUnderWayIsAnsweredBeforeItsReplicaEnds(t *testing.T) {
	const (
		n = 500
		// grace is what the manifest leaves after its hook.
		grace = 50 * time.Second
	)
	ns := cluster.Namespace(t)
	harness.Create(t, cluster.Client, harness.Job(ns, "job"))
	cluster.CreateMany(t, ns, "job", n)
	answer := make(chan harness.Response, 1)
	go func() {
		answer <- harness.Do(t, cluster.Config(), http.MethodPut, harness.JobErrors(ns, "job")+"/resolve", "")
	}()
	harness.Eventually(t, func() string {
		var entries joberrorv1.JobErrorResolutionList
		if err := cluster.Client.List(t.Context(), &entries, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
		if len(entries.Items) == 0 || entries.Items[0].Status.StartedAt == nil {
			return "the entry was not begun"
		}
		return ""
	})
	select {
	case early := <-answer:
		t.Fatalf("there was nothing left to end in the middle of: %d %s", early.Code, early.Body)
	default:
	}
	var ends errgroup.Group
	for _, name := range cluster.OperatorPods(t) {
		process := cluster.Pods.Process(name)
		ends.Go(func() error { return process.StopWithin(grace) })
	}
	if err := ends.Wait(); err != nil {
		t.Error(err)
	}
	response := <-answer
	// A slow machine's half a minute may be over: then the entry goes on.
	if response.Code != http.StatusOK && response.Code != http.StatusAccepted {
		t.Fatalf("answered %d: %s", response.Code, response.Body)
	}
	entry := response.Entry(t)
	if done := cluster.Completed(t, ns, entry.Name); done.Status.Updated != n {
		t.Errorf("status is %+v", done.Status)
	}
	if err := cluster.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
}
