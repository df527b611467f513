// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
)

// setupArchive registers the metrics of the archive. They cannot be registered twice.
var setupArchive = sync.OnceFunc(func() { SetupArchive([]string{"Timeout"}) })

// documented is a row about a metric in docs/operations.md.
var documented = regexp.MustCompile("(?m)^\\| `(joberror_[a-z_]+)` \\|")

func TestMetricsFollowTheConventions(t *testing.T) {
	ns := "conventions"
	setupArchive()
	// A vector without values is not checked.
	Captured(ns, "application", "ExitCode:1", 0)
	Reported(ns, 1)
	Suppressed(ns)
	Dropped(ns, 1)
	Refused(ns, "QuotaExceeded")
	Resolved(ns, "SetByUser", time.Minute)
	Expired(ns)
	Trimmed(ns, "job", 1)
	TemplateNotKept(ns)
	SetHeldBack("JobError", "MassExpiry", 1)
	ExpiredUnexpectedly("JobError", "Overdue")
	RequestRefused("Memory")
	requestDuration.WithLabelValues("resolve", "put", "200").Observe(1)
	// Other tests count these.
	t.Cleanup(func() {
		dropNamespace(ns)
		refusedRequests.Reset()
		requestDuration.Reset()
	})
	workloads := prometheus.NewPedanticRegistry()
	workloads.MustRegister(collectorOf(1, new([]string), "a", "b"))
	all := prometheus.Gatherers{metrics.Registry, workloads}

	problems, err := testutil.GatherAndLint(all)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "joberror_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}

	families, err := all.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var checked []string
	for _, family := range families {
		if strings.HasPrefix(family.GetName(), "joberror_") {
			checked = append(checked, family.GetName())
		}
	}
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, row := range documented.FindAllStringSubmatch(string(page), -1) {
		// The package webhook checks its own.
		if name := row[1]; name != "joberror_webhook_refused_total" {
			want = append(want, name)
		}
	}
	slices.Sort(checked)
	slices.Sort(want)
	if !slices.Equal(checked, want) {
		t.Errorf("the metrics are\n%q\nand docs/operations.md has\n%q", checked, want)
	}
}
