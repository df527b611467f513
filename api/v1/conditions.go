// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

// Condition types of a JobError and their reasons.
const (
	// ConditionResolved is True once spec.resolved was seen as true.
	ConditionResolved = "Resolved"

	// ReasonSetByUser: somebody set spec.resolved to true.
	ReasonSetByUser = "SetByUser"
	// ReasonSetByResolution: a JobErrorResolution did.
	ReasonSetByResolution = "SetByResolution"
	// ReasonJobSucceeded: the Job of the error, or a later run of its CronJob,
	// completed.
	ReasonJobSucceeded = "JobSucceeded"
	// ReasonRecovered: a pod that could not run got over it.
	ReasonRecovered = "Recovered"
	// ReasonOpen: the error was never resolved.
	ReasonOpen = "Open"
	// ReasonReopened: the error was resolved once.
	ReasonReopened = "Reopened"

	// ConditionLinked is True while the error's Job exists.
	ConditionLinked = "Linked"

	// ReasonJobFound: the Job exists.
	ReasonJobFound = "JobFound"
	// ReasonJobNotFound: no such Job was ever seen.
	ReasonJobNotFound = "JobNotFound"
	// ReasonJobDeleted: the Job that the error was linked to is gone.
	ReasonJobDeleted = "JobDeleted"
)

// Condition types of a JobErrorResolution and their reasons.
const (
	// ConditionComplete is True once each error has been worked through.
	ConditionComplete = "Complete"
	// ConditionReconciling is True while a long request is under way; kstatus
	// gives the name its meaning.
	ConditionReconciling = "Reconciling"

	// ReasonAllDone: no error failed.
	ReasonAllDone = "AllDone"
	// ReasonSomeFailed: see status.failures.
	ReasonSomeFailed = "SomeFailed"
	// ReasonInProgress: the request is being worked through.
	ReasonInProgress = "InProgress"
)
