// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package openerrors

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/severity"
)

// openError returns an open error of a CronJob that was created in a second of 1970.
func openError(cronJob, class, level string, created int64) *joberrorv1.JobError {
	labels := map[string]string{joberrorv1.LabelCronJobName: cronJob, joberrorv1.LabelClass: class}
	if level != "" {
		labels[joberrorv1.LabelSeverity] = level
	}
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Labels: labels},
		Spec:       joberrorv1.JobErrorSpec{CreatedAt: time.Unix(created, 0).UTC().Format(time.RFC3339)},
	}
}

func resolved(je *joberrorv1.JobError) *joberrorv1.JobError {
	je = je.DeepCopy()
	je.Spec.Resolved = true
	return je
}

// expectRows expects rows in the form "workload oldest severity class=n …".
func expectRows(t *testing.T, c *Counter, wantUnlisted int, want ...string) {
	t.Helper()
	rows, unlisted := c.Rows()
	got := []string{}
	for _, row := range rows {
		text := fmt.Sprintf("%s %d %s", row.Name, row.Oldest, row.Severity(severity.Warning))
		for i, n := range row.ByClass {
			if n > 0 {
				text += fmt.Sprintf(" %s=%d", Classes[i], n)
			}
		}
		got = append(got, text)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) || unlisted != wantUnlisted {
		t.Errorf("rows = %q and %d more, want %q and %d more", got, unlisted, want, wantUnlisted)
	}
}

func TestOpenErrorsAreCountedByWorkload(t *testing.T) {
	t.Parallel()
	c := NewCounter(10)
	first, second := openError("nightly", "application", "info", 1), openError("nightly", "image", "", 2)
	critical, done := openError("weekly", "made-up", "critical", 3), resolved(openError("done", "data", "", 4))
	for _, je := range []*joberrorv1.JobError{first, second, critical, done} {
		c.OnAdd(je, true)
	}
	expectRows(t, c, 0, "nightly 1 warning application=1 image=1", "weekly 3 critical =1")
	c.OnUpdate(first, resolved(first))
	c.OnUpdate(resolved(first), resolved(first))
	c.OnUpdate(done, openError("done", "data", "", 4))
	expectRows(t, c, 0, "done 4 warning data=1", "nightly 2 warning image=1", "weekly 3 critical =1")
	c.OnUpdate(second, openError("nightly", "image", "info", 2))
	c.OnDelete(critical)
	c.OnDelete(toolscache.DeletedFinalStateUnknown{Key: "team/e", Obj: openError("done", "data", "", 4)})
	expectRows(t, c, 0, "nightly 2 info image=1")
	c.OnDelete(openError("nightly", "image", "info", 2))
	c.OnDelete(resolved(first))
	expectRows(t, c, 0)
}

func TestTheOldestIsFoundAgainAfterItIsResolved(t *testing.T) {
	t.Parallel()
	c := NewCounter(10)
	for _, created := range []int64{5, 3, 9} {
		c.OnAdd(openError("nightly", "", "", created), true)
	}
	c.OnDelete(openError("nightly", "", "", 3))
	c.OnAdd(openError("nightly", "", "", 7), false)
	expectRows(t, c, 0, "nightly 5 warning =3")
}

func TestWorkloadsOverTheBoundAreSummed(t *testing.T) {
	t.Parallel()
	c := NewCounter(1)
	c.OnAdd(openError("b", "data", "", 1), true)
	c.OnAdd(openError("c", "data", "critical", 2), true)
	c.OnAdd(openError("d", "image", "", 3), true)
	expectRows(t, c, 2, " 2 critical image=1 data=1", "b 1 warning data=1")
	c.OnDelete(openError("b", "data", "", 1))
	expectRows(t, c, 1, " 3 warning image=1", "c 2 critical data=1")
}

// BenchmarkWorkloads measures the memory of a workload with one open error, and how long one
// scrape takes with as many workloads.
func BenchmarkWorkloads(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		errors := make([]*joberrorv1.JobError, n)
		for i := range errors {
			errors[i] = openError(fmt.Sprintf("cronjob-%06d", i), joberrorv1.ClassApplication, "", int64(i))
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			before := heap()
			c := NewCounter(1_000)
			for _, je := range errors {
				c.OnAdd(je, true)
			}
			c.Rows()
			perWorkload := float64(heap()-before) / float64(n)
			for b.Loop() {
				c.Rows()
			}
			b.ReportMetric(perWorkload, "heap-B/workload")
			runtime.KeepAlive(c)
		})
		runtime.KeepAlive(errors)
	}
}

// heap returns the bytes of the live objects.
func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
