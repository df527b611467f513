// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"container/list"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"joberror.io/operator/internal/failure"
)

const (
	// podGoneDelay is how far the watch of Jobs may be behind the watch of pods. When a
	// pod is deleted, the reason is known a moment later.
	podGoneDelay = 2 * time.Second
	// jobStatusDelay is how long the Job's own status may take before an Event that says
	// the same is recorded instead.
	jobStatusDelay = 10 * time.Second
)

// never is later than any time at which a failure is due.
var never = time.Unix(1<<40, 0)

// sighting is a failure that was seen and is not recorded yet.
type sighting struct {
	failure.Failure
	// firstSeen is when it was first seen.
	firstSeen time.Time
	// waitingUID is the UID of the pod or Job that may recover from a transient failure;
	// empty for other failures.
	waitingUID types.UID
	// waiting is true while that pod or Job still shows the failure.
	waiting bool
	// ended is when that pod or Job was seen to end; the zero time until then.
	ended time.Time
	// refusals counts the refused attempts to record it.
	refusals int
	// refusedSince is when it began to wait because its namespace refuses records; the zero
	// time until then.
	refusedSince time.Time

	// due is when it is recorded, as dueAt returned it last.
	due time.Time
	// index is its place in the heap of its agenda.
	index int
	// age is its place among the sightings of its namespace.
	age *list.Element
}

// dueAt returns when the failure is recorded: at once, unless the pod may recover. A pod
// that was deleted does not recover.
func (s *sighting) dueAt(grace time.Duration) time.Time {
	switch {
	case s.repeatsJob():
		return s.firstSeen.Add(jobStatusDelay)
	case !s.Transient:
		return s.firstSeen
	case !s.ended.IsZero():
		return earliest(s.ended.Add(podGoneDelay), s.firstSeen.Add(max(grace, podGoneDelay)))
	case !s.waiting:
		return never
	default:
		return s.firstSeen.Add(grace)
	}
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// repeatsJob reports whether an Event says what the Job's own status says, too.
func (s *sighting) repeatsJob() bool { return s.FromEvent && !s.Transient && !s.CronJob }

// sightingID identifies an occurrence among those of all failures.
type sightingID struct {
	job             types.UID
	key, occurrence string
}

func idOf(job types.UID, f failure.Failure) sightingID {
	if f.Disruption {
		// A pod is disrupted once, whatever reasons are given for it.
		return sightingID{job, "disruption", f.Occurrence}
	}
	return sightingID{job, f.Key, f.Occurrence}
}

// place is where pending holds a sighting.
type place struct {
	job types.NamespacedName
	id  sightingID
}
