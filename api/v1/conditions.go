// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

// Condition types of a JobError and their reasons.
const (
	// ConditionResolved is True while the error is resolved: the operator has seen
	// spec.resolved set to true.
	ConditionResolved = "Resolved"

	// ReasonSetByUser means that a user set spec.resolved to true.
	ReasonSetByUser = "SetByUser"
	// ReasonSetByResolution means that a JobErrorResolution set spec.resolved to true.
	ReasonSetByResolution = "SetByResolution"
	// ReasonJobSucceeded means that the error's Job, or a later run of its CronJob,
	// completed.
	ReasonJobSucceeded = "JobSucceeded"
	// ReasonRecovered means that a pod that could not run recovered.
	ReasonRecovered = "Recovered"
	// ReasonOpen means that the error has never been resolved.
	ReasonOpen = "Open"
	// ReasonReopened means that the error was resolved and is open again.
	ReasonReopened = "Reopened"

	// ConditionLinked is True while the error's Job exists.
	ConditionLinked = "Linked"

	// ReasonJobFound means that the Job exists.
	ReasonJobFound = "JobFound"
	// ReasonJobNotFound means that the operator has never seen such a Job.
	ReasonJobNotFound = "JobNotFound"
	// ReasonJobDeleted means that the Job that the error is linked to was deleted.
	ReasonJobDeleted = "JobDeleted"

	// ConditionArchived is False while an expired error is kept because it could not be
	// written to the archive. Other errors do not have it.
	ConditionArchived = "Archived"

	// ReasonStoreUnavailable means that the archive's store fails.
	ReasonStoreUnavailable = "StoreUnavailable"
)

// Condition types of a JobErrorResolution and their reasons.
const (
	// ConditionComplete is True once all errors have been processed.
	ConditionComplete = "Complete"
	// ConditionReconciling is True while a long request is in progress. The name and its
	// meaning come from kstatus.
	ConditionReconciling = "Reconciling"

	// ReasonAllDone means that no error failed.
	ReasonAllDone = "AllDone"
	// ReasonSomeFailed means that some errors failed: see status.failures.
	ReasonSomeFailed = "SomeFailed"
	// ReasonRestored means that the request was restored from a backup before it was
	// complete. It is not carried out again.
	ReasonRestored = "Restored"
	// ReasonInProgress means that the request is being processed.
	ReasonInProgress = "InProgress"
)

// Condition types of a JobErrorRetry, besides ConditionComplete and ConditionReconciling,
// and their reasons.
const (
	// ConditionSucceeded is True if the new Job succeeded, and False if it failed or was
	// never created.
	ConditionSucceeded = "Succeeded"

	// ReasonRetryRunning means that the new Job has not ended.
	ReasonRetryRunning = "JobRunning"
	// ReasonRetrySucceeded means that the new Job succeeded. It is also the reason of the
	// condition Resolved of the errors that this resolved.
	ReasonRetrySucceeded = "RetrySucceeded"
	// ReasonRetryFailed means that the new Job failed. Its errors are in the same lineage.
	ReasonRetryFailed = "RetryFailed"
	// ReasonRetryLost means that the new Job was deleted before the operator saw how it
	// ended.
	ReasonRetryLost = "JobLost"
)
