// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
)

func clusterUID(t *testing.T) string {
	t.Helper()
	return string(harness.Get(t, cluster.Client, "", "kube-system", &corev1.Namespace{}).UID)
}

func TestResolvedErrorsMoveEarly(t *testing.T) {
	ns, dir := cluster.Namespace(t), t.TempDir()
	operate(t, "file://"+dir, "--archive-resolved-after=15s")
	harness.Create(t, cluster.Client, harness.JobError(ns, "open", "job"))
	je := harness.Create(t, cluster.Client, harness.JobError(ns, "resolved", "job"))
	cluster.WaitObserved(t, ns, "resolved")
	if err := cluster.Client.Patch(t.Context(), je, harness.MergePatch(`{"spec":{"resolved":true}}`)); err != nil {
		t.Fatal(err)
	}
	got := cluster.WaitFor(t, ns, "resolved", func(je *joberrorv1.JobError) bool { return je.Status.ResolvedAt != nil })
	if left := got.Status.ExpiresAt.Sub(got.Status.ResolvedAt.Time); left < 15*time.Second || left > 16*time.Second {
		t.Errorf("it expires %s after it was resolved, want 15s", left)
	}
	cluster.WaitErrors(t, ns, func(je *joberrorv1.JobError) string { return je.Name }, "open")
	if found := archived(t, dir, ns); len(found) != 1 || found[je.UID].Name != "resolved" {
		t.Errorf("the archive has %+v, want the resolved one", found)
	}
}

func TestTrimmedErrorsAreArchived(t *testing.T) {
	ns, b := cluster.Namespace(t), newBucket(t)
	all := report(t, ns, 60)
	b.set(isDown)
	flags := append(metricsFlags(), "--retention=30d", "--max-errors-per-namespace=20")
	operate(t, b.url, flags...)
	expectMetric(t, `joberror_archive_failures_total{reason="Unavailable"}`)
	if got := len(cluster.Errors(t, ns)); got != len(all) {
		t.Fatalf("%d errors are left while the store is down, want all %d", got, len(all))
	}
	b.set(stores)
	harness.EventuallyWithin(t, time.Minute, func() string {
		// The record that counts what was deleted is not one of them.
		rows := 0
		for _, je := range cluster.Errors(t, ns) {
			if strings.HasPrefix(je.Spec.Message, "row ") {
				rows++
			}
		}
		if rows > 20 {
			return fmt.Sprintf("%d errors, more than the limit", rows)
		}
		return ""
	})
	expectNothingLost(t, all, ns, b.dir)
	if got := len(archived(t, b.dir, ns)); got < 40 {
		t.Errorf("the archive has %d errors, want at least 40", got)
	}
	if writes := b.writes.Load(); writes > 20 {
		t.Errorf("made %d requests to write 40 errors", writes)
	}
	for _, je := range cluster.Errors(t, ns) {
		if strings.HasPrefix(je.Spec.Message, "row ") && harness.Reason(je.Status.Conditions, joberrorv1.ConditionArchived) != "" {
			t.Errorf("%s, which has not expired, has the condition", je.Name)
		}
	}
}
