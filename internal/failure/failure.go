// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package failure reads from pods, Jobs, Events and termination messages what went wrong
// with a Job, and decides how it is recorded. It reads objects only: it has no client
// and no clock.
package failure

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// Failure is one failure of a Job. Failures of one Job with the same key are one
// failure that happened again.
type Failure struct {
	// Key identifies the failure within its Job.
	Key string
	// Occurrence identifies one time that the failure happened.
	Occurrence string
	// Times is how often it happened at the same time, as equal rows of one report do.
	// Zero means once.
	Times int
	// Code, Message and Source become the fields of the JobError.
	Code, Message, Source string
	// At is when it happened.
	At time.Time
	// Transient is true if the pod may recover on its own: it is a failure only if it
	// lasts.
	Transient bool
	// FromEvent is true if only an Event shows the failure, and no status does.
	FromEvent bool
	// CronJob is true if a CronJob failed to start a Job: there is no Job.
	CronJob bool
	// Subject is the UID of the pod that failed. If only an Event on a Job or a CronJob
	// shows the failure, it is the UID of that object.
	Subject types.UID
	// Pod holds what the Job's podFailurePolicy looks at; nil for a failure of the Job
	// as a whole and for a reported record.
	Pod *PodFacts
	// PodLevel is true if a pod or a container failed, not the Job as a whole.
	PodLevel bool
	// Disruption is true if the whole pod was evicted, preempted, rejected or lost. That
	// happens to a pod once: a reason that is given later is another word for the same
	// disruption.
	Disruption bool
	// Log names the container's log if it says more than Message; nil if the container
	// left a message, and for any other failure.
	Log *Log
	// Report is the record that the Job itself reported; nil for what was seen to fail.
	Report *resolvev1.Record
}

// Log names the log of one run of a container.
type Log struct {
	Pod, Container string
	// Previous is true for the run before the last one.
	Previous bool
}
