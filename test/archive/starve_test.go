// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"testing"
	"time"

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

// The errors are in one namespace, because namespaces take turns anyway. The test compares the
// order of what happens, and not how long it takes.
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
	b.set(stores)
	harness.EventuallyWithin(t, time.Minute, func() string {
		if n := left(); n > len(all)*3/4 {
			return fmt.Sprintf("%d of %d expired errors are left", n, len(all))
		}
		return ""
	})
	resolveOne(t, ns, "during-the-deletion")
	n := left()
	t.Logf("%d of %d expired errors were left when the other one was resolved", n, len(all))
	if n == 0 {
		t.Error("the error was resolved only after all expired ones were deleted")
	}
	expectMoved(t, all, ns, b.dir)
}
