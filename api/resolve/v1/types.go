// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

// JobSummary summarizes the errors of one job. It is computed for each request.
//
// +kubebuilder:object:root=true
type JobSummary struct {
	metav1.TypeMeta `json:",inline"`
	// metadata holds the name of the Job, or the _jobId of its errors if the operator
	// has never seen such a Job.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// total is the number of errors that the job has.
	//
	// +required
	Total int32 `json:"total"`

	// open is the number of these errors that are open.
	//
	// +required
	Open int32 `json:"open"`

	// resolved is the number of these errors that are resolved.
	//
	// +required
	Resolved int32 `json:"resolved"`

	// lastErrorAt is when the latest error happened.
	//
	// +optional
	LastErrorAt *metav1.Time `json:"lastErrorAt,omitempty"`

	// lastMessage is the message of the latest error.
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

	// items holds one item for each job that has errors.
	Items []JobSummary `json:"items"`
}

// Record is a job error in the flat shape of the source's API.
type Record struct {
	// _id is the name of the JobError. The source's own clients remove it before they
	// send a record back.
	//
	// +optional
	ID string `json:"_id,omitempty"`

	// _userId is the user who created the record.
	//
	// +optional
	UserID string `json:"_userId,omitempty"`

	// _jobId is the job that the error belongs to.
	//
	// +optional
	JobID string `json:"_jobId,omitempty"`

	// _retryId is when the record last changed. Read-only.
	//
	// +optional
	RetryID string `json:"_retryId,omitempty"`

	// createdAt is when the error happened.
	//
	// +optional
	CreatedAt string `json:"createdAt,omitempty"`

	// resolved is true once somebody has dealt with the error.
	//
	// +required
	Resolved bool `json:"resolved"`

	// code is the machine-readable code of the error.
	//
	// +optional
	Code string `json:"code,omitempty"`

	// extract is the source field of the mapping that failed.
	//
	// +optional
	Extract string `json:"extract,omitempty"`

	// generate is the destination field of the mapping that failed.
	//
	// +optional
	Generate string `json:"generate,omitempty"`

	// extracted is the value that was read from the source field.
	//
	// +optional
	Extracted string `json:"extracted,omitempty"`

	// generated is the value that was generated for the destination field.
	//
	// +optional
	Generated string `json:"generated,omitempty"`

	// message is a human-readable description of the error.
	//
	// +optional
	Message string `json:"message,omitempty"`

	// source is the system or container that raised the error.
	//
	// +optional
	Source string `json:"source,omitempty"`
}

// ReportedRecord is the result for one reported record. It holds the record as it is
// stored, or the record as it was sent and the reason that it was not stored.
type ReportedRecord struct {
	Record `json:",inline"`

	// error is the reason that the record was not stored.
	//
	// +optional
	Error *RecordError `json:"error,omitempty"`
}

// ArchivedRecord holds one element of a list of records, live or archived.
type ArchivedRecord struct {
	Record `json:",inline"`

	// archived holds what the archive has about the error and a record has no field for. Live records
	// lack it.
	//
	// +optional
	Archived ArchivedState `json:"archived,omitzero"`
}

// ArchivedState is the state of an error when it was archived.
type ArchivedState struct {
	// at is when the error was archived.
	//
	// +optional
	At *metav1.Time `json:"at,omitempty"`

	// uid is the UID of the JobError.
	//
	// +optional
	UID types.UID `json:"uid,omitempty"`

	// job is the name of the Job that the error was linked to.
	//
	// +optional
	Job string `json:"job,omitempty"`

	// jobUID is the UID of this Job.
	//
	// +optional
	JobUID types.UID `json:"jobUID,omitempty"`

	// class is the class of the error.
	//
	// +optional
	Class string `json:"class,omitempty"`

	// occurrences is how often the error happened.
	//
	// +optional
	Occurrences int32 `json:"occurrences,omitempty"`

	// lastSeen is when the error last happened.
	//
	// +optional
	LastSeen *metav1.Time `json:"lastSeen,omitempty"`

	// resolvedAt is when the error was resolved.
	//
	// +optional
	ResolvedAt *metav1.Time `json:"resolvedAt,omitempty"`

	// resolvedBy is who resolved the error.
	//
	// +optional
	ResolvedBy string `json:"resolvedBy,omitempty"`

	// resolution is the name of the JobErrorResolution that resolved the error.
	//
	// +optional
	Resolution string `json:"resolution,omitempty"`
}

// RecordError is the reason that a record was not stored.
type RecordError struct {
	// code is the HTTP status that a request with only this record would have had.
	//
	// +required
	Code int32 `json:"code"`

	// message is a human-readable explanation.
	//
	// +required
	Message string `json:"message"`
}

// RetryRequest is the body of a retry request. All fields are optional.
type RetryRequest struct {
	// errors holds the names of errors that the retry is meant to fix. Each must be an error
	// of the job. The retry runs the whole job.
	//
	// +optional
	// +listType=set
	Errors []string `json:"errors,omitempty"`

	// template is Current or Original, as in a JobErrorRetry.
	//
	// +optional
	Template joberrorv1.RetryTemplate `json:"template,omitempty"`

	// indexes is Unfinished or All, as in a JobErrorRetry.
	//
	// +optional
	Indexes joberrorv1.RetryIndexes `json:"indexes,omitempty"`

	// set changes containers for this retry only, as in a JobErrorRetry.
	//
	// +optional
	// +listType=map
	// +listMapKey=container
	Set []joberrorv1.ContainerOverride `json:"set,omitempty"`

	// reason explains the request to later readers.
	//
	// +optional
	Reason string `json:"reason,omitempty"`
}

// ResolveRequest is the body of a resolve or unresolve request if the body is an object.
type ResolveRequest struct {
	// errors holds the names of the errors to change. If neither errors nor errorIds
	// is set, the request applies to every open error of the job.
	//
	// +optional
	// +listType=set
	Errors []string `json:"errors,omitempty"`

	// errorIds is another name for errors.
	//
	// +optional
	// +listType=set
	ErrorIDs []string `json:"errorIds,omitempty"`

	// reason explains the request to later readers.
	//
	// +optional
	Reason string `json:"reason,omitempty"`
}
