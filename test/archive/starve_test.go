// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"testing"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

// backlog is more than the operator deletes while it takes care of one other error.
const backlog = 2000

// resolveOne creates an error, and resolves it once it has its status.
func resolveOne(t *testing.T, namespace, name string) {
	t.Helper()
	je := harness.Create(t, cluster.Client, harness.JobError(namespace, name, "job"))
	cluster.WaitObserved(t, namespace, name)
	if err := cluster.Client.Patch(t.Context(), je, harness.MergePatch(`{"spec":{"resolved":true}}`)); err != nil {
		t.Fatal(err)
	}
	cluster.WaitFor(t, namespace, name, func(je *joberrorv1.JobError) bool { return je.Status.ResolvedAt != nil })
}

// The test compares the order of what happens, and not how long it takes.
func TestOtherErrorsDoNotWaitForTheBacklog(t *testing.T) {
	expiring, other, b := cluster.Namespace(t), cluster.Namespace(t), newBucket(t)
	all := report(t, expiring, backlog)
	b.set(isStuck)
	operate(t, b.url)
	harness.Eventually(t, func() string {
		if b.writes.Load() == 0 {
			return "the operator has not begun to write"
		}
		return ""
	})
	resolveOne(t, other, "during-the-write")
	if left := len(cluster.Errors(t, expiring)); left != len(all) {
		t.Fatalf("%d errors are left while the store does not answer, want all %d", left, len(all))
	}

	b.set(stores)
	harness.Eventually(t, func() string {
		if len(cluster.Errors(t, expiring)) == len(all) {
			return "none of the expired errors was deleted"
		}
		return ""
	})
	resolveOne(t, other, "during-the-deletion")
	left := len(cluster.Errors(t, expiring))
	t.Logf("%d of %d expired errors were left when the other one was resolved", left, len(all))
	if left == 0 {
		t.Error("the error was resolved only after all expired ones were deleted")
	}
	expectMoved(t, all, expiring, b.dir)
}
