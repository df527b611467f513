// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

// LabelJobName is the label of a JobError with the name of the Job that it is
// linked to.
const LabelJobName = "joberror.io/job-name"

// LabelJobUID is the label of a JobError that the operator recorded, with the UID
// of the Job.
const LabelJobUID = "joberror.io/job-uid"

// Labels of a JobError that the operator captured by itself.
const (
	// LabelCaptured is Captured, or CapturedOverflow for the one that counts
	// what is over the Job's limit. Errors that a Job reports have it not.
	LabelCaptured    = "joberror.io/captured"
	Captured         = "true"
	CapturedOverflow = "overflow"
	// LabelCronJobName is the CronJob that the Job is a run of.
	LabelCronJobName = "joberror.io/cronjob-name"
)

// LabelClass holds the class of an error that the operator captured or that a Job
// reported. It answers the first question about an error: my code or the cluster?
const LabelClass = "joberror.io/class"

// Values of LabelClass.
const (
	// ClassApplication means that the Job's own code failed.
	ClassApplication = "application"
	// ClassResources means that memory, CPU, storage or quota ran out.
	ClassResources = "resources"
	// ClassImage means that an image could not be pulled or used.
	ClassImage = "image"
	// ClassConfiguration means that the pod template, or an object that it names,
	// does not allow the pod to be created or to start.
	ClassConfiguration = "configuration"
	// ClassInfrastructure means that the cluster lost, evicted or refused the pod.
	ClassInfrastructure = "infrastructure"
	// ClassDeadline means that the Job or the pod ran longer than it may.
	ClassDeadline = "deadline"
	// ClassPolicy means that the Job's pod failure policy failed the Job.
	ClassPolicy = "policy"
	// ClassSchedule means that a CronJob could not start a Job.
	ClassSchedule = "schedule"
	// ClassData means that the Job reported an error of one of its records.
	ClassData = "data"
)

// AnnotationOccurrence names the occurrence that a captured or reported JobError
// was created for, or last reopened for, and how many there were at once if it was
// more than one. They are counted with the next status.
const AnnotationOccurrence = "joberror.io/occurrence"

// Off turns off what an annotation of a Job or a Namespace is about.
const Off = "false"

// Annotations that people set on a Job, on a CronJob's template for one, or on
// a Namespace for all of its Jobs.
const (
	// AnnotationCapture turns capture off: Off is the one value.
	AnnotationCapture = "joberror.io/capture"
	// AnnotationAutoResolve turns off that captured errors are resolved once the
	// same work succeeds: Off is the one value. It may stand on a JobError, too.
	AnnotationAutoResolve = "joberror.io/auto-resolve"
)

// Annotations that people set on a Job.
const (
	// AnnotationRetention is how long the Job's errors are kept, as a number
	// with a unit: 12h, 7d, 4w. The operator copies it to each error that it
	// records, for when the Job is gone before the error has a status.
	AnnotationRetention = "joberror.io/retention"
	// AnnotationDeletionPolicy tells what becomes of the Job's errors when
	// the Job is deleted. DeletionPolicyCascade is the one value; without it,
	// they are kept.
	AnnotationDeletionPolicy = "joberror.io/deletion-policy"
	// AnnotationUserID is the _userId of the errors that are captured of the Job.
	AnnotationUserID = "joberror.io/user-id"
	// DeletionPolicyCascade deletes the errors of a Job with the Job.
	DeletionPolicyCascade = "Cascade"
)

// Annotations that mark a JobError with who last set spec.resolved. Admission
// sets them, and refuses another name than the requester's own.
const (
	// AnnotationResolvedBy is the user who did.
	AnnotationResolvedBy = "joberror.io/resolved-by"
	// AnnotationResolvedGeneration is the generation that the change led to.
	// It tells a fresh mark from the one of an earlier change.
	AnnotationResolvedGeneration = "joberror.io/resolved-generation"
	// AnnotationResolution is the JobErrorResolution that did, as name/UID.
	AnnotationResolution = "joberror.io/resolution"
	// AnnotationCause is why the operator did by itself, as reason/name.
	AnnotationCause = "joberror.io/resolved-cause"
)
