// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/errorlimit"
)

const sampleSize = 5000

// TestSamplesLookLikeACluster checks what a grouped list and a chart need: many groups, each day
// and each class, some resolved, and nothing that the operator would delete.
func TestSamplesLookLikeACluster(t *testing.T) {
	now := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	g := newGenerator(now, map[string]types.UID{})
	names, days, classes, groups, perCronJob := map[string]bool{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	resolved := 0
	for range sampleSize {
		je := g.next()
		at, err := time.Parse(time.RFC3339, je.Spec.CreatedAt)
		if err != nil {
			t.Fatal(err)
		}
		if at.After(now) || at.Before(now.Add(-retention+time.Hour)) {
			t.Errorf("%s was created at %s", je.Name, at)
		}
		if end := je.Status.ResolvedAt; je.Spec.Resolved && (end.Time.After(now) || end.Time.Before(je.Status.LastSeen.Time.Truncate(time.Second))) {
			t.Errorf("%s, last seen at %s, was resolved at %s", je.Name, je.Status.LastSeen, end)
		}
		if je.Status.LastSeen.Time.After(now) || je.Status.LastSeen.Before(je.Status.FirstSeen) {
			t.Errorf("%s was seen from %s to %s", je.Name, je.Status.FirstSeen, je.Status.LastSeen)
		}
		if names[je.Namespace+"/"+je.Name] {
			t.Errorf("two errors are named %s", je.Name)
		}
		names[je.Namespace+"/"+je.Name] = true
		days[at.Format(time.DateOnly)]++
		classes[je.Labels[joberrorv1.LabelClass]]++
		perCronJob[je.Labels[joberrorv1.LabelCronJobName]]++
		groups[je.Labels[joberrorv1.LabelCronJobName]+"/"+je.Spec.Code]++
		if je.Spec.Resolved {
			resolved++
		}
	}
	if len(days) < 29 || len(classes) != 9 || len(groups) < 20 {
		t.Errorf("%d days, %d classes and %d groups", len(days), len(classes), len(groups))
	}
	if share := float64(resolved) / sampleSize; share < 0.3 || share > 0.7 {
		t.Errorf("%.0f%% are resolved", 100*share)
	}
	delete(perCronJob, "")
	// The operator limits only what it captured; crm-import reports its records.
	delete(perCronJob, "crm-import")
	for name, n := range perCronJob {
		if n > errorlimit.NewLimits().CronJob {
			t.Errorf("CronJob %s has %d errors, more than the operator keeps", name, n)
		}
	}
}
