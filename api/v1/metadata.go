// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

// LabelJobName is the label of a JobError with the name of the Job that it is
// linked to.
const LabelJobName = "joberror.io/job-name"

// LabelCaptured is the label of a JobError that the operator captured by itself:
// "true", or "overflow" for the one that counts those over the Job's limit.
const LabelCaptured = "joberror.io/captured"

// AnnotationCapture turns capture off where it is "false": on a Job, or on a
// namespace for all of its Jobs.
const AnnotationCapture = "joberror.io/capture"

// Annotations that people set on a Job.
const (
	// AnnotationRetention is how long the Job's errors are kept, as a number
	// with a unit: 12h, 7d, 4w.
	AnnotationRetention = "joberror.io/retention"
	// AnnotationDeletionPolicy tells what becomes of the Job's errors when
	// the Job is deleted. DeletionPolicyCascade is the one value; without it,
	// they are kept.
	AnnotationDeletionPolicy = "joberror.io/deletion-policy"
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
)
