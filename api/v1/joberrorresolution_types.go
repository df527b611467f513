// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Limits of a JobErrorResolution. The schema enforces the first.
const (
	// MaxNamedErrors is how many errors a resolution can name.
	MaxNamedErrors = 1000
	// MaxListedErrors is how many names of errors a status lists.
	MaxListedErrors = 1000
	// MaxListedFailures is how many failures a status lists.
	MaxListedFailures = 10
)

// JobErrorResolutionSpec is the request. All of it is immutable.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a resolution is one request; create another one instead"
type JobErrorResolutionSpec struct {
	// The job whose errors are meant, by name or by UID.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	JobID string `json:"_jobId"`

	// The names of the errors that are meant. Left out, every error of the
	// job that is open at the time of the request is.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=1000
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=253
	// +kubebuilder:validation:items:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Errors []string `json:"errors,omitempty"`

	// What to set the errors' resolved to; false reopens them.
	//
	// +optional
	// +kubebuilder:default=true
	Resolved *bool `json:"resolved,omitempty"`

	// Why, for the record.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Reason string `json:"reason,omitempty"`

	// The authenticated user who asked for it. Filled in at admission; no
	// other name than one's own is accepted.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	RequestedBy string `json:"requestedBy,omitempty"`
}

// WantsResolved tells what the resolution sets the errors' resolved to.
func (s *JobErrorResolutionSpec) WantsResolved() bool {
	return s.Resolved == nil || *s.Resolved
}

// ResolutionFailure is an error that could not be set as asked.
type ResolutionFailure struct {
	// What the request called the error.
	Name string `json:"name"`

	// Why in one word, for example NotFound.
	Reason string `json:"reason"`

	// Why, for people to read.
	//
	// +optional
	Message string `json:"message,omitempty"`
}

// Reasons of a ResolutionFailure.
const (
	// FailureNotFound says that there is no error of that name.
	FailureNotFound = "NotFound"
	// FailureOtherJob says that the error is not one of the job's.
	FailureOtherJob = "OtherJob"
	// FailureRejected says that the API server refused the write.
	FailureRejected = "Rejected"
)

// JobErrorResolutionStatus is how far the request has come. The operator alone
// writes it.
//
// A time that not every parser takes would stop whoever watches: the rules
// refuse it.
//
// +kubebuilder:validation:XValidation:rule="!has(self.startedAt) || self.startedAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".startedAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.completedAt) || self.completedAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".completedAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.expiresAt) || self.expiresAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".expiresAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.conditions) || self.conditions.all(c, c.lastTransitionTime >= timestamp('1900-01-01T00:00:00Z'))",fieldPath=".conditions",message="lastTransitionTime must be a time in RFC 3339"
type JobErrorResolutionStatus struct {
	// How many errors the request is about.
	//
	// +optional
	// +kubebuilder:default=0
	Matched int32 `json:"matched"`

	// How many of them this request has changed.
	//
	// +optional
	// +kubebuilder:default=0
	Updated int32 `json:"updated"`

	// How many of them were as asked already, or were changed by somebody
	// else in the meantime.
	//
	// +optional
	// +kubebuilder:default=0
	Unchanged int32 `json:"unchanged"`

	// How many of them could not be changed.
	//
	// +optional
	// +kubebuilder:default=0
	Failed int32 `json:"failed"`

	// The names of the errors that the request is about; at most 1,000.
	//
	// +optional
	// +listType=atomic
	Errors []string `json:"errors,omitempty"`

	// Whether errors is cut short.
	//
	// +optional
	Truncated bool `json:"truncated,omitempty"`

	// The first 10 errors that could not be changed, with the reason.
	//
	// +optional
	// +listType=atomic
	Failures []ResolutionFailure `json:"failures,omitempty"`

	// The state of the store that "every open error" refers to.
	//
	// +optional
	SnapshotResourceVersion string `json:"snapshotResourceVersion,omitempty"`

	// When the operator took the request up.
	//
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`

	// When the last error was done.
	//
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`

	// When the record of the request is deleted.
	//
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// The generation of the spec that this status describes.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// Complete tells whether the request is worked through; Reconciling is
	// true while a long one is under way.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// JobErrorResolution is the durable record of one request to resolve, or to
// reopen, errors of a job. Create one to make the request; the operator works
// it through and keeps it as long as it keeps errors.
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
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// The request.
	//
	// +required
	Spec JobErrorResolutionSpec `json:"spec"`

	// How far the request has come.
	//
	// +optional
	Status JobErrorResolutionStatus `json:"status,omitempty"`
}

// JobErrorResolutionList is a list of JobErrorResolutions.
//
// +kubebuilder:object:root=true
type JobErrorResolutionList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// The resolutions.
	Items []JobErrorResolution `json:"items"`
}
