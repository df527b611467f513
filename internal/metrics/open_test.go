// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	joberrorv1 "joberror.io/operator/api/v1"
)

func errorIn(namespace string, resolved bool) *joberrorv1.JobError {
	return &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: namespace}, Spec: joberrorv1.JobErrorSpec{Resolved: resolved}}
}

// leaderCollector returns the collector of a replica that leads.
func leaderCollector() *openCollector {
	elected := make(chan struct{})
	close(elected)
	return newOpenCollector(elected)
}

func expectOpen(t *testing.T, collector *openCollector, values ...string) {
	t.Helper()
	want := ""
	if len(values) > 0 {
		want = "# HELP joberror_open_errors JobErrors that are not resolved.\n# TYPE joberror_open_errors gauge\n"
	}
	for _, value := range values {
		want += "joberror_open_errors" + value + "\n"
	}
	if err := testutil.CollectAndCompare(collector, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}

func TestOpenErrorsAreCountedByNamespace(t *testing.T) {
	t.Parallel()
	collector := leaderCollector()
	for _, je := range []*joberrorv1.JobError{errorIn("a", false), errorIn("a", false), errorIn("a", true), errorIn("b", true)} {
		collector.OnAdd(je, true)
	}
	expectOpen(t, collector, `{namespace="a"} 2`, `{namespace="b"} 0`)
	collector.OnUpdate(errorIn("a", false), errorIn("a", true))
	collector.OnUpdate(errorIn("b", true), errorIn("b", false))
	expectOpen(t, collector, `{namespace="a"} 1`, `{namespace="b"} 1`)
	collector.OnDelete(errorIn("a", false))
	collector.OnDelete(toolscache.DeletedFinalStateUnknown{Key: "b/e", Obj: errorIn("b", false)})
	expectOpen(t, collector, `{namespace="a"} 0`)
	collector.OnDelete(errorIn("a", true))
	collector.OnDelete(errorIn("a", true))
	expectOpen(t, collector)
}

func TestOnlyTheLeaderExportsOpenErrors(t *testing.T) {
	t.Parallel()
	elected := make(chan struct{})
	collector := newOpenCollector(elected)
	collector.OnAdd(errorIn("a", false), false)
	if n := testutil.CollectAndCount(collector); n != 0 {
		t.Errorf("a standby exports %d values, want 0", n)
	}
	close(elected)
	expectOpen(t, collector, `{namespace="a"} 1`)
}
