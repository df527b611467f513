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

func in(namespace string, resolved bool) *joberrorv1.JobError {
	return &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: namespace}, Spec: joberrorv1.JobErrorSpec{Resolved: resolved}}
}

func leading() *open {
	elected := make(chan struct{})
	close(elected)
	return newOpen(elected)
}

func tells(t *testing.T, collector *open, values ...string) {
	t.Helper()
	want := ""
	if len(values) > 0 {
		want = "# HELP joberror_open_errors JobErrors that nobody has resolved yet.\n# TYPE joberror_open_errors gauge\n"
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
	collector := leading()
	for _, je := range []*joberrorv1.JobError{in("a", false), in("a", false), in("a", true), in("b", true)} {
		collector.OnAdd(je, true)
	}
	tells(t, collector, `{namespace="a"} 2`, `{namespace="b"} 0`)
	collector.OnUpdate(in("a", false), in("a", true))
	collector.OnUpdate(in("b", true), in("b", false))
	tells(t, collector, `{namespace="a"} 1`, `{namespace="b"} 1`)
	collector.OnDelete(in("a", false))
	collector.OnDelete(toolscache.DeletedFinalStateUnknown{Key: "b/e", Obj: in("b", false)})
	tells(t, collector, `{namespace="a"} 0`)
	collector.OnDelete(in("a", true))
	collector.OnDelete(in("a", true))
	tells(t, collector)
}

func TestTheLeaderAloneTells(t *testing.T) {
	t.Parallel()
	elected := make(chan struct{})
	collector := newOpen(elected)
	collector.OnAdd(in("a", false), false)
	if n := testutil.CollectAndCount(collector); n != 0 {
		t.Errorf("a replica that is not the leader tells %d values", n)
	}
	close(elected)
	tells(t, collector, `{namespace="a"} 1`)
}

func TestOfANamespaceThatIsGoneNothingIsTold(t *testing.T) {
	t.Parallel()
	Captured("gone", "application", "ExitCode:1", 0)
	Captured("gone", "resources", "OOMKilled", 0)
	Captured("stays", "application", "ExitCode:1", 0)
	namespaceGone(toolscache.DeletedFinalStateUnknown{Key: "gone"})
	want := "# HELP joberror_captured_total Failures of Jobs that were recorded or counted, by their class and code.\n" +
		"# TYPE joberror_captured_total counter\njoberror_captured_total{class=\"application\",code=\"ExitCode:1\",namespace=\"stays\"} 1\n"
	if err := testutil.CollectAndCompare(captured, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
}
