// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

// LabelJobName holds the name of the Job that a JobError is linked to.
const LabelJobName = "joberror.io/job-name"

// LabelJobUID holds the UID of the Job of a JobError that the operator recorded.
const LabelJobUID = "joberror.io/job-uid"

// Labels of a captured JobError.
const (
	// LabelCaptured is Captured, or CapturedOverflow for the error that counts the
	// failures beyond the Job's limit, or CapturedTrimmed for the record that counts the
	// errors that were deleted because of a limit. Errors that a Job reports lack this
	// label.
	LabelCaptured    = "joberror.io/captured"
	Captured         = "true"
	CapturedOverflow = "overflow"
	CapturedTrimmed  = "trimmed"
	// LabelCronJobName holds the name of the CronJob that the Job is a run of.
	LabelCronJobName = "joberror.io/cronjob-name"
)

// LabelLineage holds the UID of the first Job of a lineage, which is a Job with all its
// retries. It is on each Job that the operator created as a retry, and on the errors of
// these Jobs. The errors of the first Job have the UID in LabelJobUID.
const LabelLineage = "joberror.io/lineage"

// Annotations of a Job that the operator created as a retry.
const (
	// AnnotationRetryOf holds the UID of the Job that ran first.
	AnnotationRetryOf = "joberror.io/retry-of"
	// AnnotationRetry holds the UID of the JobErrorRetry.
	AnnotationRetry = "joberror.io/retry"
	// AnnotationHeld is on the Job until the JobErrorRetry lets it run. It holds the name of the
	// Job's queue, or is empty.
	AnnotationHeld = "joberror.io/held"
)

// LabelTemplate marks a ControllerRevision that holds the template of a Job that failed.
const LabelTemplate = "joberror.io/template"

// AnnotationTemplate is the name of the ControllerRevision that holds the template of the Job
// of a captured JobError.
const AnnotationTemplate = "joberror.io/template"

// NamespaceJobID is the _jobId of the record that counts the errors that were deleted
// because of the limit of their namespace.
const NamespaceJobID = "namespace.joberror.io"

// LabelClass holds the class of a captured or reported error. It answers the first
// question about an error: is it my code or the cluster?
const LabelClass = "joberror.io/class"

// Values of LabelClass.
const (
	// ClassApplication means that the Job's own code failed.
	ClassApplication = "application"
	// ClassResources means that memory, CPU, storage or quota ran out.
	ClassResources = "resources"
	// ClassImage means that an image could not be pulled or used.
	ClassImage = "image"
	// ClassConfiguration means that the pod could not be created or started because
	// of its template or an object that the template names.
	ClassConfiguration = "configuration"
	// ClassInfrastructure means that the cluster lost, evicted or refused the pod.
	ClassInfrastructure = "infrastructure"
	// ClassDeadline means that the Job or the pod exceeded its deadline.
	ClassDeadline = "deadline"
	// ClassPolicy means that the Job's pod failure policy failed the Job.
	ClassPolicy = "policy"
	// ClassSchedule means that a CronJob could not start a Job.
	ClassSchedule = "schedule"
	// ClassData means that the Job reported an error in one of its records.
	ClassData = "data"
)

// Classes returns the values of LabelClass, in the order of the docs.
func Classes() []string {
	return []string{
		ClassApplication, ClassResources, ClassImage, ClassConfiguration, ClassInfrastructure,
		ClassDeadline, ClassPolicy, ClassSchedule, ClassData,
	}
}

// LabelSeverity holds how urgent open errors are. Users set it on a Job, on the Job template of a
// CronJob, or on a Namespace for all of its Jobs. The operator copies it from a Job to its
// errors that have none.
const LabelSeverity = "joberror.io/severity"

// Values of LabelSeverity, the most urgent first. Without the label, errors are SeverityWarning.
const (
	SeverityCritical = "critical"
	SeverityWarning  = "warning"
	SeverityInfo     = "info"
)

// AnnotationWorkload holds what controls the Job of a JobError, as Kind/name. It is not set if the
// label LabelCronJobName says the same, or if nothing controls the Job.
const AnnotationWorkload = "joberror.io/workload"

// AnnotationOccurrence identifies the occurrence that created or last reopened a captured
// or reported JobError. If there were several at the same time, it also holds their number.
// The next status update counts them.
const AnnotationOccurrence = "joberror.io/occurrence"

// Off is the annotation value that turns a feature off for a Job or a Namespace.
const Off = "false"

// Annotations that users set on a Job, on the Job template of a CronJob, or on a Namespace
// for all of its Jobs. Off is the only value.
const (
	// AnnotationCapture turns capture off.
	AnnotationCapture = "joberror.io/capture"
	// AnnotationRemember turns off keeping the template of a failed Job. Without the template,
	// the Job cannot be retried after it is deleted.
	AnnotationRemember = "joberror.io/remember"
	// AnnotationAutoResolve turns off automatic resolution, which resolves captured
	// errors once the same work succeeds. Users may also set it on a JobError.
	AnnotationAutoResolve = "joberror.io/auto-resolve"
)

// Annotations that users set on a Job.
const (
	// AnnotationRetention sets how long the Job's errors are kept, as a number with a
	// unit: 7d, 4w. The operator's flag --min-retention is the minimum. The operator
	// copies the annotation to each error that it records, because the Job may be deleted
	// before the error has a status.
	AnnotationRetention = "joberror.io/retention"
	// AnnotationDeletionPolicy decides whether the Job's errors are deleted with the
	// Job. DeletionPolicyCascade is the only value, and needs the operator's flag
	// --allow-cascade. Without both, they are kept.
	AnnotationDeletionPolicy = "joberror.io/deletion-policy"
	// AnnotationUserID sets the _userId of the errors that are captured from the Job.
	AnnotationUserID = "joberror.io/user-id"
	// DeletionPolicyCascade deletes the Job's errors with the Job.
	DeletionPolicyCascade = "Cascade"
)

// Annotations that record on a JobError who last set spec.resolved. Admission sets them,
// and refuses the name of another user.
const (
	// AnnotationResolvedBy is the user who made the change.
	AnnotationResolvedBy = "joberror.io/resolved-by"
	// AnnotationResolvedGeneration is the JobError's generation after the change. It
	// distinguishes a fresh mark from the mark of an earlier change.
	AnnotationResolvedGeneration = "joberror.io/resolved-generation"
	// AnnotationResolution is the JobErrorResolution that made the change, as
	// name/UID.
	AnnotationResolution = "joberror.io/resolution"
	// AnnotationCause is the reason for a change that the operator made automatically,
	// as reason/name.
	AnnotationCause = "joberror.io/resolved-cause"
)

// AnnotationRestoredStatus holds the status, in JSON, that a restored record had. The
// webhook writes it when the record is created, because the API server drops the status of
// a new object. Only the operator, and users with the right to restore, may set it.
const AnnotationRestoredStatus = "joberror.io/restored-status"
