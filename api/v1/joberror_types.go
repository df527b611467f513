// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// JobErrorSpec is the error as it was reported or captured. The field names are exactly
// those in integrator.io's job errors, including the leading underscores. The fields that
// describe the error can be corrected later. _userId, _jobId and createdAt are immutable.
//
// +kubebuilder:validation:XValidation:rule="!has(self.createdAt) || self.createdAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".createdAt",message="createdAt must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="self._jobId == oldSelf._jobId",fieldPath="._jobId",message="_jobId is immutable: an error always belongs to the same job"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf._userId) || (has(self._userId) && self._userId == oldSelf._userId)",fieldPath="._userId",message="_userId is immutable once it is set"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.createdAt) || (has(self.createdAt) && self.createdAt == oldSelf.createdAt)",fieldPath=".createdAt",message="createdAt is immutable once it is set"
type JobErrorSpec struct {
	// _userId is the user who created the record. If it is not set, admission sets
	// it to the name of the requesting user. Immutable.
	//
	// The schema does not require it. Before Kubernetes 1.36, the field stays empty if a
	// record is created while the admission webhook is down.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	UserID string `json:"_userId,omitempty"`

	// _jobId is the name or the UID of the Job that the error belongs to, in the
	// same namespace. The Job does not have to exist yet, and may already be
	// deleted. Immutable.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	JobID string `json:"_jobId"`

	// createdAt is when the error happened, in RFC 3339 with or without a fraction
	// of a second, for example 2026-11-05T10:15:00.123Z. By default, the record is
	// kept for 30 days from this time. If createdAt is not set, admission sets it to
	// the current time. Immutable.
	//
	// Admission refuses a time that is more than 5 minutes in the future, and a time
	// that is so old that the record has already expired.
	//
	// +optional
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^(19|20)\d{2}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`
	CreatedAt string `json:"createdAt,omitempty"`

	// resolved is true once somebody has dealt with the error. Set it to true to
	// resolve the error, and back to false to reopen it.
	//
	// +optional
	// +kubebuilder:default=false
	Resolved bool `json:"resolved,omitempty"`

	// code is the machine-readable code of the error, for example an HTTP status or
	// OOMKilled.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Code string `json:"code,omitempty"`

	// extract is the source field of the mapping that failed.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Extract string `json:"extract,omitempty"`

	// generate is the destination field of the mapping that failed.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Generate string `json:"generate,omitempty"`

	// extracted is the value that was read from the source field.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	Extracted string `json:"extracted,omitempty"`

	// generated is the value that was generated for the destination field.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	Generated string `json:"generated,omitempty"`

	// message is a human-readable description of the error.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32768
	Message string `json:"message,omitempty"`

	// source is the system or container that raised the error.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Source string `json:"source,omitempty"`
}

// JobReference identifies the Job that an error is linked to. It is kept after the Job is
// deleted.
type JobReference struct {
	// name is the name of the Job.
	//
	// +required
	Name string `json:"name"`

	// uid is the UID of the Job. A Job with the same name and another UID is a
	// different Job.
	//
	// +required
	UID types.UID `json:"uid"`

	// retention is the Job's own retention for its errors: the last known value of
	// the annotation joberror.io/retention.
	//
	// +optional
	Retention string `json:"retention,omitempty"`
}

// JobErrorStatus is what the operator knows about the error. Only the operator writes it.
//
// The rules refuse a time that some parsers reject, because it would break every watch of
// these objects.
//
// +kubebuilder:validation:XValidation:rule="!has(self.expiresAt) || self.expiresAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".expiresAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.resolvedAt) || self.resolvedAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".resolvedAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.firstSeen) || self.firstSeen >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".firstSeen",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.lastSeen) || self.lastSeen >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".lastSeen",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.conditions) || self.conditions.all(c, c.lastTransitionTime >= timestamp('1900-01-01T00:00:00Z'))",fieldPath=".conditions",message="lastTransitionTime must be a time in RFC 3339"
type JobErrorStatus struct {
	// _retryId is when the record's content last changed, in RFC 3339 with
	// microseconds.
	//
	// +optional
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:Pattern=`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$`
	RetryID string `json:"_retryId,omitempty"`

	// summary is the first line of the message, truncated to 100 characters, for
	// tables. It is empty if the message itself fits in a table.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=100
	Summary string `json:"summary,omitempty"`

	// expiresAt is when the record is deleted, whether or not it is resolved.
	//
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// resolvedAt is when the error was resolved. It is empty while the error is open.
	//
	// +optional
	ResolvedAt *metav1.Time `json:"resolvedAt,omitempty"`

	// resolvedBy is the authenticated user who resolved the error. It is empty while
	// the error is open and, before Kubernetes 1.36, if the error was resolved while
	// the admission webhook was down.
	//
	// +optional
	ResolvedBy string `json:"resolvedBy,omitempty"`

	// resolution is the name of the JobErrorResolution that resolved the error, if
	// any.
	//
	// +optional
	Resolution string `json:"resolution,omitempty"`

	// job is the Job that the error is linked to. It is kept after the Job is
	// deleted.
	//
	// +optional
	Job *JobReference `json:"job,omitempty"`

	// occurrences is the number of times that the error happened. It is set for
	// errors that the operator captured and for records that a Job reported.
	//
	// +optional
	Occurrences int32 `json:"occurrences,omitempty"`

	// firstSeen is when the error first happened.
	//
	// +optional
	FirstSeen *metav1.Time `json:"firstSeen,omitempty"`

	// lastSeen is when the error last happened.
	//
	// +optional
	LastSeen *metav1.Time `json:"lastSeen,omitempty"`

	// recentOccurrences identifies the latest occurrences, so that the operator counts
	// each one only once, even after a restart.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=24
	RecentOccurrences []string `json:"recentOccurrences,omitempty"`

	// observedGeneration is the generation of the spec that this status describes. It is
	// -1 until the operator has seen the object.
	//
	// +optional
	// +kubebuilder:default=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions holds the conditions of the error. Resolved shows whether the error
	// is resolved, and how. Linked shows whether its Job exists.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// JobError is one error of a Job: a failure of the Job, or a problem with one record in a
// Job that may still have completed. By default, it is kept for 30 days, regardless of what
// happens to the Job.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=je
// +kubebuilder:printcolumn:name="Job",type=string,JSONPath=`.spec._jobId`
// +kubebuilder:printcolumn:name="Code",type=string,JSONPath=`.spec.code`
// +kubebuilder:printcolumn:name="Class",type=string,JSONPath=`.metadata.labels.joberror\.io/class`
// +kubebuilder:printcolumn:name="Resolved",type=boolean,JSONPath=`.spec.resolved`
// +kubebuilder:printcolumn:name="Resolved-By",type=string,priority=1,JSONPath=`.status.resolvedBy`
// +kubebuilder:printcolumn:name="Source",type=string,priority=1,JSONPath=`.spec.source`
// +kubebuilder:printcolumn:name="Extract",type=string,priority=1,JSONPath=`.spec.extract`
// +kubebuilder:printcolumn:name="Generate",type=string,priority=1,JSONPath=`.spec.generate`
// +kubebuilder:printcolumn:name="Occurrences",type=integer,priority=1,JSONPath=`.status.occurrences`
// +kubebuilder:printcolumn:name="Expires",type=string,priority=1,JSONPath=`.status.expiresAt`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,JSONPath=`.*['summary','message']`
// +kubebuilder:selectablefield:JSONPath=`.spec._jobId`
// +kubebuilder:selectablefield:JSONPath=`.spec.resolved`
// +kubebuilder:selectablefield:JSONPath=`.spec.code`
// +kubebuilder:selectablefield:JSONPath=`.spec.source`
type JobError struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's standard metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the error as it was reported or captured.
	//
	// +required
	Spec JobErrorSpec `json:"spec"`

	// status is what the operator knows about the error.
	//
	// +optional
	// +kubebuilder:default={}
	Status JobErrorStatus `json:"status,omitzero"`
}

// JobErrorList is a list of JobErrors.
//
// +kubebuilder:object:root=true
type JobErrorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items holds the errors.
	Items []JobError `json:"items"`
}
