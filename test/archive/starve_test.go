// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// backlog is more than the operator deletes while it takes care of one other error.
const backlog = 2000

// resolveOne creates an error, resolves it once it has its status, and deletes it.
func resolveOne(t *testing.T, namespace, name string) {
	t.Helper()
	je := harness.Create(t, cluster.Client, harness.JobError(namespace, name, "job"))
	cluster.WaitObserved(t, namespace, name)
	if err := cluster.Client.Patch(t.Context(), je, harness.MergePatch(`{"spec":{"resolved":true}}`)); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, namespace, name, func(je *joberrorv1.JobError) bool { return je.Status.ResolvedAt != nil })
	if err := cluster.Client.Delete(t.Context(), je); err != nil {
		t.Fatal(err)
	}
}

// deletedBefore returns how many of these errors a watch sees deleted before it sees the error with
// this name resolved. It returns nothing if the watch ends first.
func deletedBefore(t *testing.T, namespace, name string, all map[types.UID]string) <-chan int {
	t.Helper()
	watcher, err := client.NewWithWatch(cluster.Config(), client.Options{Scheme: cluster.Client.Scheme()})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := watcher.Watch(t.Context(), &joberrorv1.JobErrorList{}, client.InNamespace(namespace))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(changes.Stop)
	before := make(chan int, 1)
	go func() {
		defer close(before)
		deleted := 0
		for event := range changes.ResultChan() {
			je, ok := event.Object.(*joberrorv1.JobError)
			if !ok {
				continue
			}
			if _, expires := all[je.UID]; expires && event.Type == watch.Deleted {
				deleted++
			}
			if je.Name == name && je.Status.ResolvedAt != nil {
				before <- deleted
				return
			}
		}
	}()
	return before
}

// The errors are in one namespace, because namespaces take turns anyway.
func TestOtherErrorsDoNotWaitForTheBacklog(t *testing.T) {
	ns, b := cluster.Namespace(t), newBucket(t)
	all := report(t, ns, backlog)
	left := func() int {
		n := 0
		for _, je := range cluster.Errors(t, ns) {
			if _, expires := all[je.UID]; expires {
				n++
			}
		}
		return n
	}
	b.set(isStuck)
	operate(t, b.url)
	harness.Eventually(t, func() string {
		if b.writes.Load() == 0 {
			return "the operator has not begun to write"
		}
		return ""
	})
	resolveOne(t, ns, "during-the-write")
	if n := left(); n != len(all) {
		t.Fatalf("%d errors are left while the store does not answer, want all %d", n, len(all))
	}

	// The first batch may be small. The others have waited for it, so they are written at once.
	deleted := deletedBefore(t, ns, "during-the-deletion", all)
	b.set(stores)
	harness.EventuallyWithin(t, time.Minute, func() string {
		if n := left(); n > len(all)*3/4 {
			return fmt.Sprintf("%d of %d expired errors are left", n, len(all))
		}
		return ""
	})
	resolveOne(t, ns, "during-the-deletion")
	n, ok := <-deleted
	t.Logf("%d of %d expired errors were deleted when the other one was resolved", n, len(all))
	if !ok || n == len(all) {
		t.Error("the error was resolved only after all expired ones were deleted")
	}
	expectMoved(t, all, ns, b.dir)
}
