// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

// sizes are the numbers of pods of one Job. What they cost grows as they do.
var sizes = []int{2_000, 10_000}

func waitingPod(i int) failure.Failure {
	return failure.Failure{
		Key: "wait/main/ImagePullBackOff", Occurrence: fmt.Sprintf("u-%d/main/first", i), At: now,
		Transient: true, PodLevel: true, Subject: types.UID(fmt.Sprintf("u-%d", i)),
	}
}

// work counts what a leader does for the sightings of one Job.
type work struct{ reconciles, sightings int }

// recordUntil records what becomes due up to some time.
func (w *work) recordUntil(p *pending, from, until time.Time) {
	for at := from; !at.After(until); {
		due, next := p.due(backup, at)
		w.reconciles++
		for _, s := range due["a"] {
			w.sightings++
			p.markRecorded(backup, "a", s.Failure)
		}
		if next == 0 {
			return
		}
		at = at.Add(next)
	}
}

// The pods begin to wait one after the other, within twenty seconds.
func TestWaitingPodsAreRecordedTogether(t *testing.T) {
	t.Parallel()
	const span = 20 * time.Second
	for _, n := range sizes {
		p, q := leading(t)
		for i := range n {
			p.add(backup, "a", []failure.Failure{waitingPod(i)}, now.Add(span*time.Duration(i)/time.Duration(n)))
		}
		if q.Len() != 0 {
			t.Errorf("%d pods: a reconcile is due before any pod has waited for long", n)
		}
		var w work
		w.recordUntil(p, now.Add(grace), now.Add(grace+2*span))
		if want := int(span/batchDelay) + 1; w.reconciles > want || w.sightings != n || p.size != 0 {
			t.Errorf("%d pods: %d reconciles looked at %d sightings and left %d, want at most %d reconciles and each pod once", n, w.reconciles, w.sightings, p.size, want)
		}
	}
}

// Each of the others waits while one fails.
func TestFailureDoesNotLookAtWaitingPods(t *testing.T) {
	t.Parallel()
	for _, n := range sizes {
		p := newPending(grace)
		for i := range n {
			p.add(backup, "a", []failure.Failure{waitingPod(i)}, now)
		}
		var w work
		for i := range n {
			p.add(backup, "a", failed("exit", fmt.Sprint(i), now), now)
			w.recordUntil(p, now, now)
		}
		if w.sightings != n {
			t.Errorf("%d pods: looked at %d sightings, want each failure once", n, w.sightings)
		}
	}
}

// BenchmarkPending shows the time for each of n pods of one Job that wait, are looked at and
// are recorded. It must not grow with n.
func BenchmarkPending(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				p := newPending(grace)
				for i := range n {
					p.add(backup, "a", []failure.Failure{waitingPod(i)}, now)
				}
				new(work).recordUntil(p, now.Add(grace), now.Add(2*grace))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/pod")
		})
	}
}

// BenchmarkDropRecorded shows the time for each of n records of one Job that appear while the
// others are pending. It must not grow with n.
func BenchmarkDropRecorded(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var records []*joberrorv1.JobError
			for i := range n {
				je := podFailure(fmt.Sprintf("exit/%d", i), fmt.Sprint(i)).JobError(backupJob(), "x")
				je.Labels[joberrorv1.LabelJobUID] = "a"
				records = append(records, je)
			}
			for b.Loop() {
				p := newPending(grace)
				for i := range n {
					p.add(backup, "a", []failure.Failure{podFailure(fmt.Sprintf("exit/%d", i), fmt.Sprint(i))}, now)
				}
				for _, je := range records {
					p.dropRecorded(je)
				}
				if p.size > 0 {
					b.Fatalf("%d are pending, want none", p.size)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/record")
		})
	}
}
