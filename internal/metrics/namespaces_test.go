// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	toolscache "k8s.io/client-go/tools/cache"
	testingclock "k8s.io/utils/clock/testing"
)

// namespacesOf returns the namespaces that a counter has values of, sorted.
func namespacesOf(t *testing.T, counter *prometheus.CounterVec) []string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(counter)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, family := range families {
		for _, value := range family.GetMetric() {
			for _, label := range value.GetLabel() {
				if label.GetName() == namespaceLabel {
					names = append(names, label.GetValue())
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestMetricsOfADeletedNamespaceAreDropped(t *testing.T) {
	clock := testingclock.NewFakeClock(time.Now())
	c := &namespaceCleaner{clock: clock, exists: func(name string) bool { return name == "again" }}
	deleted := []string{"gone", "again"}
	for _, name := range append(deleted, "stays") {
		Captured(name, "application", "ExitCode:1", 0)
		Captured(name, "resources", "OOMKilled", 0)
	}
	for _, name := range deleted {
		c.OnDelete(toolscache.DeletedFinalStateUnknown{Key: name})
	}
	if got := namespacesOf(t, captured); !slices.Equal(got, []string{"stays"}) {
		t.Errorf("namespaces with metrics = %v, want only the one that exists", got)
	}
	// A request that came before the deletion ends after it, and a namespace is created again.
	for _, name := range deleted {
		Captured(name, "application", "ExitCode:1", 0)
	}
	clock.Step(lateWork)
	if got := namespacesOf(t, captured); !slices.Equal(got, []string{"again", "stays"}) {
		t.Errorf("namespaces with metrics = %v, want those that exist", got)
	}
}
