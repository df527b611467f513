// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package capture reads from pods and Jobs what went wrong with them. It knows
// their objects alone: no client, no clock.
package failure

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// Failure is something that went wrong with a Job. Those of one Job with the
// same key are one failure that happened again.
type Failure struct {
	// Key tells the failures of a Job apart.
	Key string
	// Occurrence tells one time that it happened from the next.
	Occurrence string
	// Times is how often it happened at once, as equal rows of one report. Zero
	// stands for one.
	Times int
	// Code, Message and Source are what the JobError of it says.
	Code, Message, Source string
	// At is when it happened.
	At time.Time
	// Passing says that the pod may recover on its own: it is a failure only if it
	// lasts.
	Passing bool
	// Event says that an Event is all that shows it: the pod's status does not.
	Event bool
	// CronJob says that a CronJob failed to start a Job: there is none.
	CronJob bool
	// Subject is the pod that failed; the Job or the CronJob if an Event on it is all
	// that shows the failure.
	Subject types.UID
	// Pod holds what the Job's podFailurePolicy looks at; nil for a failure of the Job
	// as a whole and for what a container reports.
	Pod *PodFacts
	// OfPod says that a pod or a container failed, not the Job as a whole.
	OfPod bool
	// Taken says that the whole pod was taken, which happens to it once: whatever
	// else is said of it later is another word for the same.
	Taken bool
	// Log is where the container's log says more than the message does; nil
	// where the container left a message, and for all else.
	Log *Log
	// Report is the record that the Job itself reported, in place of what was
	// seen of it; nil for all others.
	Report *resolvev1.Record
}

// Log is the log of a container's run.
type Log struct {
	Pod, Container string
	// Previous says that it is the run before the last one.
	Previous bool
}
