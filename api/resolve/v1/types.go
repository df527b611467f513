// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// JobSummary counts the errors of one job. It is computed for each request.
//
// +kubebuilder:object:root=true
type JobSummary struct {
	metav1.TypeMeta `json:",inline"`
	// The name is that of the Job, or the _jobId of its errors where no such
	// Job was ever seen.
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// How many errors the job has.
	Total int32 `json:"total"`

	// How many of them are open.
	Open int32 `json:"open"`

	// How many of them are resolved.
	Resolved int32 `json:"resolved"`

	// When the latest of them happened.
	//
	// +optional
	LastErrorAt *metav1.Time `json:"lastErrorAt,omitempty"`

	// The message of the latest of them.
	//
	// +optional
	LastMessage string `json:"lastMessage,omitempty"`
}

// JobSummaryList is a list of JobSummaries.
//
// +kubebuilder:object:root=true
type JobSummaryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// One item for each job that has errors.
	Items []JobSummary `json:"items"`
}

// Record is a job error in the flat shape of the source's API.
type Record struct {
	// The name of the JobError. The source's own clients strip it before they
	// send a record back.
	ID string `json:"_id,omitempty"`
	// Who created the record.
	UserID string `json:"_userId,omitempty"`
	// The job that the error belongs to.
	JobID string `json:"_jobId,omitempty"`
	// When the record last changed. Read only.
	RetryID string `json:"_retryId,omitempty"`
	// When the error happened.
	CreatedAt string `json:"createdAt,omitempty"`
	// Whether somebody has dealt with the error.
	Resolved bool `json:"resolved"`
	// The machine-readable code of the error.
	Code string `json:"code,omitempty"`
	// The source field of the mapping that failed.
	Extract string `json:"extract,omitempty"`
	// The destination field of the mapping that failed.
	Generate string `json:"generate,omitempty"`
	// The value that was read from the source field.
	Extracted string `json:"extracted,omitempty"`
	// The value that was made for the destination field.
	Generated string `json:"generated,omitempty"`
	// What went wrong, for people to read.
	Message string `json:"message,omitempty"`
	// The system or container that raised the error.
	Source string `json:"source,omitempty"`
}

// ReportedRecord is what became of a record that was reported: the record as it
// is kept, or as it was sent and why it is not.
type ReportedRecord struct {
	Record `json:",inline"`

	// Why the record is not kept.
	//
	// +optional
	Error *RecordError `json:"error,omitempty"`
}

// RecordError tells why a record is not kept.
type RecordError struct {
	// The HTTP status that it would have had by itself.
	Code int32 `json:"code"`

	// For people to read.
	Message string `json:"message"`
}

// ResolveRequest is the body of a resolve or unresolve request, where it is an
// object.
type ResolveRequest struct {
	// The names of the errors that are meant. Left out, every open error of
	// the job is.
	//
	// +optional
	// +listType=set
	Errors []string `json:"errors,omitempty"`

	// Another name for errors.
	//
	// +optional
	// +listType=set
	ErrorIDs []string `json:"errorIds,omitempty"`

	// Why, for the record.
	//
	// +optional
	Reason string `json:"reason,omitempty"`
}
