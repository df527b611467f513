// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// JobErrorSpec is the error as it was reported. Its fields keep the names of
// integrator.io's job errors to the letter, leading underscores included. Only
// what describes the error may be corrected later; who, which job and when
// may not.
//
// +kubebuilder:validation:XValidation:rule="!has(self.createdAt) || self.createdAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".createdAt",message="createdAt must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="self._jobId == oldSelf._jobId",fieldPath="._jobId",message="_jobId is immutable: an error belongs to one job for good"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf._userId) || (has(self._userId) && self._userId == oldSelf._userId)",fieldPath="._userId",message="_userId is immutable once it is set"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.createdAt) || (has(self.createdAt) && self.createdAt == oldSelf.createdAt)",fieldPath=".createdAt",message="createdAt is immutable once it is set"
type JobErrorSpec struct {
	// Who created the record. Filled in at admission with the name of the
	// requesting user where it is left out. Immutable.
	//
	// It is no required field of the schema, or a record could not be
	// created while the admission webhook is down; it stays empty then.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	UserID string `json:"_userId,omitempty"`

	// The Job that the error belongs to, in the same namespace, by name or by
	// UID. It need not exist yet, and may be gone already. Immutable.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	JobID string `json:"_jobId"`

	// When the error happened, in RFC 3339 with or without a fraction of a
	// second, for example 2026-11-05T10:15:00.123Z. The record is kept for 30
	// days from this moment. Filled in at admission with the current time
	// where it is left out. Immutable.
	//
	// A time more than 5 minutes ahead, or so old that the record's retention
	// is over, is refused.
	//
	// +optional
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:MaxLength=40
	// +kubebuilder:validation:Pattern=`^(19|20)\d{2}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`
	CreatedAt string `json:"createdAt,omitempty"`

	// Whether somebody has dealt with the error. Set it to true to resolve
	// the error, and back to false to reopen it.
	//
	// +optional
	// +kubebuilder:default=false
	Resolved bool `json:"resolved,omitempty"`

	// The machine-readable code of the error, for example an HTTP status or
	// OOMKilled.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Code string `json:"code,omitempty"`

	// The source field of the mapping that failed.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Extract string `json:"extract,omitempty"`

	// The destination field of the mapping that failed.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Generate string `json:"generate,omitempty"`

	// The value that was read from the source field.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	Extracted string `json:"extracted,omitempty"`

	// The value that was made for the destination field.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	Generated string `json:"generated,omitempty"`

	// What went wrong, for people to read.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=32768
	Message string `json:"message,omitempty"`

	// The system or container that raised the error.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	Source string `json:"source,omitempty"`
}

// JobReference names the Job that an error is linked to. It outlives the Job.
type JobReference struct {
	// Name of the Job.
	Name string `json:"name"`

	// UID of the Job. A Job of the same name with another UID is another Job.
	UID types.UID `json:"uid"`

	// The Job's own retention for its errors, from its annotation
	// joberror.io/retention, as it was last seen.
	//
	// +optional
	Retention string `json:"retention,omitempty"`
}

// JobErrorStatus is what the operator knows of the error. The operator alone
// writes it.
//
// A time that not every parser takes would stop whoever watches: the rules
// refuse it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.expiresAt) || self.expiresAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".expiresAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.resolvedAt) || self.resolvedAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".resolvedAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.firstSeen) || self.firstSeen >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".firstSeen",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.lastSeen) || self.lastSeen >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".lastSeen",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.conditions) || self.conditions.all(c, c.lastTransitionTime >= timestamp('1900-01-01T00:00:00Z'))",fieldPath=".conditions",message="lastTransitionTime must be a time in RFC 3339"
type JobErrorStatus struct {
	// When the record's content last changed, in RFC 3339 with microseconds.
	//
	// +optional
	// +kubebuilder:validation:Format=date-time
	// +kubebuilder:validation:Pattern=`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$`
	RetryID string `json:"_retryId,omitempty"`

	// Summary is the first line of the message, cut to 100 characters, for
	// tables. It is empty if the message fits in a table as it stands.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=100
	Summary string `json:"summary,omitempty"`

	// When the record is deleted, resolved or not.
	//
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// When the error was resolved. Empty while it is open.
	//
	// +optional
	ResolvedAt *metav1.Time `json:"resolvedAt,omitempty"`

	// The authenticated user who resolved the error. Empty while it is open,
	// or where it was resolved while the admission webhook was down.
	//
	// +optional
	ResolvedBy string `json:"resolvedBy,omitempty"`

	// The JobErrorResolution that resolved the error, if one did.
	//
	// +optional
	Resolution string `json:"resolution,omitempty"`

	// The Job that the error is linked to, kept after the Job is gone.
	//
	// +optional
	Job *JobReference `json:"job,omitempty"`

	// How often the error happened, for those that the operator captured from the
	// Job or its pods, and for records that the Job reported.
	//
	// +optional
	Occurrences int32 `json:"occurrences,omitempty"`

	// When it happened first.
	//
	// +optional
	FirstSeen *metav1.Time `json:"firstSeen,omitempty"`

	// When it happened last.
	//
	// +optional
	LastSeen *metav1.Time `json:"lastSeen,omitempty"`

	// The latest occurrences, by what tells one from the other: none is counted
	// twice, also after a restart of the operator.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=100
	// +kubebuilder:validation:items:MaxLength=24
	RecentOccurrences []string `json:"recentOccurrences,omitempty"`

	// The generation of the spec that this status describes.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Resolved tells whether the error is dealt with, and how. Linked tells
	// whether its Job is known.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// JobError is one error of a Job: what made the Job fail, or what went wrong
// with one record in a Job that may well have completed. It is kept for 30
// days, whatever happens to the Job.
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
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// The error as it was reported.
	//
	// +required
	Spec JobErrorSpec `json:"spec"`

	// What the operator knows of the error.
	//
	// +optional
	Status JobErrorStatus `json:"status,omitempty"`
}

// JobErrorList is a list of JobErrors.
//
// +kubebuilder:object:root=true
type JobErrorList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// The errors.
	Items []JobError `json:"items"`
}
