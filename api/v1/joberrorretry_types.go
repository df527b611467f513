// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package v1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// RetryTemplate says which pod template a retry runs.
//
// +kubebuilder:validation:Enum=Current;Original
type RetryTemplate string

// Values of RetryTemplate.
const (
	// RetryCurrent means the CronJob's template as it is now, after a fix.
	RetryCurrent RetryTemplate = "Current"
	// RetryOriginal means the template of the Job that failed.
	RetryOriginal RetryTemplate = "Original"
)

// RetryIndexes says which indexes of an Indexed Job a retry runs.
//
// +kubebuilder:validation:Enum=Unfinished;All
type RetryIndexes string

// Values of RetryIndexes.
const (
	// RetryUnfinished means the indexes that have not succeeded yet.
	RetryUnfinished RetryIndexes = "Unfinished"
	// RetryAll means every index.
	RetryAll RetryIndexes = "All"
)

// JobErrorRetrySpec is the request. The whole spec is immutable.
//
// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="spec is immutable: a retry is one request; create another one instead"
type JobErrorRetrySpec struct {
	// _jobId is the name or the UID of the job to run again.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	JobID string `json:"_jobId"`

	// template says which template to run: Current, the CronJob's as it is now, or
	// Original, that of the Job that failed. The default is Current for the Job of a
	// CronJob, otherwise Original.
	//
	// +optional
	Template RetryTemplate `json:"template,omitempty"`

	// indexes says which indexes of an Indexed Job to run: Unfinished, those that have not
	// succeeded, or All. The default is Unfinished. A Job that is not Indexed runs as a
	// whole.
	//
	// +optional
	Indexes RetryIndexes `json:"indexes,omitempty"`

	// set changes containers of the template for this retry only.
	//
	// +optional
	// +listType=map
	// +listMapKey=container
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	Set []ContainerOverride `json:"set,omitempty"`

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

// ContainerOverride changes one container of the template.
type ContainerOverride struct {
	// container is the name of a container or an init container of the template.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Container string `json:"container"`

	// args replaces the arguments of the container.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	// +kubebuilder:validation:items:MaxLength=4096
	Args []string `json:"args,omitempty"`

	// env adds environment variables, or replaces those with the same name.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=256
	Env []corev1.EnvVar `json:"env,omitempty"`

	// resources replaces the requests and limits that it names. The others stay.
	//
	// +optional
	Resources *RetryResources `json:"resources,omitempty"`
}

// RetryResources holds requests and limits of a container.
type RetryResources struct {
	// requests holds the requests to replace, by resource.
	//
	// +optional
	Requests corev1.ResourceList `json:"requests,omitempty"`

	// limits holds the limits to replace, by resource.
	//
	// +optional
	Limits corev1.ResourceList `json:"limits,omitempty"`
}

// RetryTemplateFrom says where the template of a retry came from.
type RetryTemplateFrom string

// Values of RetryTemplateFrom.
const (
	// TemplateFromJob means the Job that failed.
	TemplateFromJob RetryTemplateFrom = "Job"
	// TemplateFromCronJob means the CronJob as it was at the time of the request.
	TemplateFromCronJob RetryTemplateFrom = "CronJob"
	// TemplateFromRevision means the ControllerRevision that was written when the Job
	// failed.
	TemplateFromRevision RetryTemplateFrom = "Revision"
)

// RetryJob identifies a Job of a lineage.
type RetryJob struct {
	// name is the name of the Job.
	//
	// +required
	Name string `json:"name"`

	// uid is the UID of the Job.
	//
	// +optional
	UID types.UID `json:"uid,omitempty"`
}

// JobErrorRetryStatus is the progress of the request. Only the operator writes it.
//
// The rules refuse a time that some parsers reject, because it would break every watch of
// these objects.
//
// +kubebuilder:validation:XValidation:rule="!has(self.startedAt) || self.startedAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".startedAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.completedAt) || self.completedAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".completedAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.expiresAt) || self.expiresAt >= timestamp('1900-01-01T00:00:00Z')",fieldPath=".expiresAt",message="must be a time in RFC 3339"
// +kubebuilder:validation:XValidation:rule="!has(self.conditions) || self.conditions.all(c, c.lastTransitionTime >= timestamp('1900-01-01T00:00:00Z'))",fieldPath=".conditions",message="lastTransitionTime must be a time in RFC 3339"
type JobErrorRetryStatus struct {
	// job is the new Job.
	//
	// +optional
	Job *RetryJob `json:"job,omitempty"`

	// root is the Job that ran first. It and all its retries are a lineage.
	//
	// +optional
	Root *RetryJob `json:"root,omitempty"`

	// attempt is the number of this retry in its lineage.
	//
	// +optional
	Attempt int32 `json:"attempt,omitempty"`

	// templateFrom says where the template came from: Job, CronJob or Revision.
	//
	// +optional
	TemplateFrom RetryTemplateFrom `json:"templateFrom,omitempty"`

	// completedIndexes holds the indexes that do not run again, in the notation of the Job's
	// status.completedIndexes. It is empty if every index runs.
	//
	// +optional
	CompletedIndexes string `json:"completedIndexes,omitempty"`

	// resolved is the number of errors that the success of the retry has resolved.
	//
	// +optional
	// +kubebuilder:default=0
	Resolved int32 `json:"resolved"`

	// startedAt is when the operator let the new Job run.
	//
	// +optional
	StartedAt *metav1.Time `json:"startedAt,omitempty"`

	// completedAt is when the operator saw how the new Job ended, or refused the request.
	//
	// +optional
	CompletedAt *metav1.Time `json:"completedAt,omitempty"`

	// expiresAt is when this retry is deleted.
	//
	// +optional
	ExpiresAt *metav1.Time `json:"expiresAt,omitempty"`

	// observedGeneration is the generation of the spec that this status describes. It is
	// -1 until the operator has seen the object.
	//
	// +optional
	// +kubebuilder:default=-1
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions holds the conditions of the request. Complete shows whether the new Job
	// has ended, or the request was refused. Succeeded shows whether the Job succeeded; it
	// is Unknown until then. Reconciling is True while the Job runs.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// JobErrorRetry is one request to run a failed Job again, as a new Job, and its durable
// record. Create one to make the request. The operator carries it out once, and keeps it for
// as long as it keeps errors: 30 days by default.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=joberrorretries,shortName=jet
// +kubebuilder:printcolumn:name="Job",type=string,JSONPath=`.spec._jobId`
// +kubebuilder:printcolumn:name="New-Job",type=string,JSONPath=`.status.job.name`
// +kubebuilder:printcolumn:name="Attempt",type=integer,JSONPath=`.status.attempt`
// +kubebuilder:printcolumn:name="Complete",type=string,JSONPath=`.status.conditions[?(@.type=="Complete")].status`
// +kubebuilder:printcolumn:name="Succeeded",type=string,JSONPath=`.status.conditions[?(@.type=="Succeeded")].status`
// +kubebuilder:printcolumn:name="Resolved",type=integer,JSONPath=`.status.resolved`
// +kubebuilder:printcolumn:name="Requested-By",type=string,JSONPath=`.spec.requestedBy`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Template",type=string,priority=1,JSONPath=`.status.templateFrom`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.spec.reason`
// +kubebuilder:selectablefield:JSONPath=`.spec._jobId`
type JobErrorRetry struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the object's standard metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec is the request.
	//
	// +required
	Spec JobErrorRetrySpec `json:"spec"`

	// status is the progress of the request.
	//
	// +optional
	// +kubebuilder:default={}
	Status JobErrorRetryStatus `json:"status,omitzero"`
}

// JobErrorRetryList is a list of JobErrorRetries.
//
// +kubebuilder:object:root=true
type JobErrorRetryList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	// items holds the retries.
	Items []JobErrorRetry `json:"items"`
}
