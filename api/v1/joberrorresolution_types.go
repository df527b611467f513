// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Limits of a JobErrorResolution. The schema enforces MaxNamedErrors.
const (
	// MaxNamedErrors limits the number of errors that a resolution can name.
	MaxNamedErrors = 1000
	// MaxListedErrors limits the number of error names that a status lists.
	MaxListedErrors = 1000
	// MaxListedFailures limits the number of failures that a status lists.
	MaxListedFailures = 10
)

// JobErrorResolutionSpec is the request. The whole spec is immutable.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a resolution is one request; create another one instead"
type JobErrorResolutionSpec struct {
	// _jobId is the name or the UID of the job whose errors the request changes.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	JobID string `json:"_jobId"`

	// errors holds the names of the errors to change. If it is not set, the request
	// applies to every error of the job that does not have the value of resolved yet.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Errors []string `json:"errors,omitempty"`

	// resolved is the value that the request sets in each error: true resolves the
	// error, false reopens it. The default is true.
	//
	// +optional
	// +kubebuilder:default=true
	Resolved *bool `json:"resolved,omitempty"`

	// reason explains the request to later readers.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Reason string `json:"reason,omitempty"`

	// requestedBy is the authenticated user who made the request. Admission sets it,
	// and refuses the name of another user.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	RequestedBy string `json:"requestedBy,omitempty"`
}

// WantsResolved reports whether the request resolves the errors. Otherwise it reopens them.
func (s *JobErrorResolutionSpec) WantsResolved() bool {
	return s.Resolved == nil || *s.Resolved
}

// ResolutionFailure is an error that the request could not change.
type ResolutionFailure struct {
	// name is the error's name in the request.
	//
	// +required
	Name string `json:"name"`

	// reason is the cause in one word, for example NotFound.
	//
	// +required
	Reason string `json:"reason"`

	// message is a human-readable explanation.
	//
	// +optional
	Message string `json:"message,omitempty"`
}

// Reasons of a ResolutionFailure.
const (
	// FailureNotFound means that no error has this name.
	FailureNotFound = "NotFound"
	// FailureOtherJob means that the error belongs to another job.
	FailureOtherJob = "OtherJob"
	// FailureRejected means that the API server refused the write.
	FailureRejected = "Rejected"
)

// JobErrorResolutionStatus is the progress of the request. Only the operator writes it.
//
// The rules refuse a time that some parsers reject, because it would break every watch of
// these objects.
//
// +kubebuilder:validation:XValidation:rule="!has(self.startedAt) || self.startedAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".startedAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.completedAt) || self.completedAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".completedAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.expiresAt) || self.expiresAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".expiresAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.conditions) || self.conditions.all(c, c.lastTransitionTime >= timestamp('1900-01-01T00:00:00Z'))",fieldPath=".conditions",message="lastTransitionTime must be a time in RFC 3339"
type JobErrorResolutionStatus struct {
	// matched is the number of errors that the request applies to.
	//
	// +optional
	// +kubebuilder:default=0
	Matched int32 `json:"matched"`

	// updated is the number of these errors that the request has changed.
	//
	// +optional
	// +kubebuilder:default=0
	Updated int32 `json:"updated"`

	// unchanged is the number of these errors that already had the requested value,
	// or that someone else changed first.
	//
	// +optional
	// +kubebuilder:default=0
	Unchanged int32 `json:"unchanged"`

	// failed is the number of these errors that could not be changed.
	//
	// +optional
	// +kubebuilder:default=0
	Failed int32 `json:"failed"`

	// errors holds the names of the errors that the request applies to, at most
	// 1,000.
	//
	// +optional
	// +listType=atomic
	Errors []string `json:"errors,omitempty"`

	// truncated is true if errors does not list every name.
	//
	// +optional
	Truncated bool `json:"truncated,omitempty"`

	// failures holds the first 10 errors that could not be changed, with the reason.
	//
	// +optional
	// +listType=atomic
	Failures []ResolutionFailure `json:"failures,omitempty"`

	// snapshotResourceVersion is the resource version of the snapshot that "every open
	// error" refers to.
	//
	// +optional
	SnapshotResourceVersion string `json:"snapshotResourceVersion,omitempty"`

	// startedAt is when the operator started to process the request.
	//
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`

	// completedAt is when the operator processed the last error.
	//
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`

	// expiresAt is when this resolution is deleted.
	//
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// observedGeneration is the generation of the spec that this status describes. It is
	// -1 until the operator has seen the object.
	//
	// +optional
	// +kubebuilder:default=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions holds the conditions of the request. Complete shows whether all
	// errors have been processed. Reconciling is True while a long request is in
	// progress.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// JobErrorResolution is one request to resolve or reopen errors of a job, and its durable
// record. Create one to make the request. The operator processes it, and keeps it for as
// long as it keeps errors: 30 days by default.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=jer
// +kubebuilder:printcolumn:name="Job",type=string,JSONPath=`.spec._jobId`
// +kubebuilder:printcolumn:name="Resolved",type=boolean,JSONPath=`.spec.resolved`
// +kubebuilder:printcolumn:name="Matched",type=integer,JSONPath=`.status.matched`
// +kubebuilder:printcolumn:name="Updated",type=integer,JSONPath=`.status.updated`
// +kubebuilder:printcolumn:name="Failed",type=integer,JSONPath=`.status.failed`
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Requested-By",type=string,JSONPath=`.spec.requestedBy`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.spec.reason`
// +kubebuilder:selectablefield:JSONPath=`.spec._jobId`
type JobErrorResolution struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's standard metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the request.
	//
	// +required
	Spec JobErrorResolutionSpec `json:"spec"`

	// status is the progress of the request.
	//
	// +optional
	// +kubebuilder:default={}
	Status JobErrorResolutionStatus `json:"status,omitzero"`
}

// JobErrorResolutionList is a list of JobErrorResolutions.
//
// +kubebuilder:object:root=true
type JobErrorResolutionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items holds the resolutions.
	Items []JobErrorResolution `json:"items"`
}
