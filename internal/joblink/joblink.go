// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package joblink links a JobError to its Job. The JobError survives the Job, unless the
// Job requests otherwise.
package joblink

import (
	"context"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/severity"
)

// Namespace returns the metadata of a namespace.
func Namespace(ctx context.Context, cache client.Reader, name string) (*metav1.PartialObjectMetadata, error) {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err := cache.Get(ctx, types.NamespacedName{Name: name}, namespace)
	return namespace, err
}

// Apply sets the label and the owner references that link a JobError to an existing Job.
// The garbage collector deletes an object when the last of its owners is gone, so the
// Namespace becomes a second owner. If the Job cascades under the policy, it is the only
// owner.
func Apply(je *joberrorv1.JobError, job *batchv1.Job, namespaceUID types.UID, policy retention.Policy) {
	setLabels(je, job)
	// The garbage collector removes the reference to a Job that is being deleted. Adding
	// it again would start an endless conflict.
	if !job.DeletionTimestamp.IsZero() {
		return
	}
	ensureOwner(je, jobOwner(job))
	if policy.Cascades(job) {
		je.OwnerReferences = slices.DeleteFunc(je.OwnerReferences, func(o metav1.OwnerReference) bool {
			return o == namespaceOwner(je, namespaceUID)
		})
		return
	}
	ensureOwner(je, namespaceOwner(je, namespaceUID))
}

// Remember sets the labels and the owner references that link a JobError to a Job that is
// deleted or will soon be. The garbage collector removes the reference to the Job, but the
// labels stay.
func Remember(je *joberrorv1.JobError, job *batchv1.Job, namespaceUID types.UID) {
	setLabels(je, job)
	metav1.SetMetaDataLabel(&je.ObjectMeta, joberrorv1.LabelJobUID, string(job.UID))
	ensureOwner(je, jobOwner(job))
	ensureOwner(je, namespaceOwner(je, namespaceUID))
}

// setLabels sets the labels that find an error by its Job, and by the Job's lineage if it is a
// retry. It also copies the severity of the Job, and what controls it.
func setLabels(je *joberrorv1.JobError, job *batchv1.Job) {
	if len(validation.IsValidLabelValue(job.Name)) == 0 {
		metav1.SetMetaDataLabel(&je.ObjectMeta, joberrorv1.LabelJobName, job.Name)
	}
	if lineage := job.Labels[joberrorv1.LabelLineage]; lineage != "" {
		metav1.SetMetaDataLabel(&je.ObjectMeta, joberrorv1.LabelLineage, lineage)
	}
	severity.Copy(je, job)
	if controller := metav1.GetControllerOf(job); controller != nil && je.Labels[joberrorv1.LabelCronJobName] == "" {
		metav1.SetMetaDataAnnotation(&je.ObjectMeta, joberrorv1.AnnotationWorkload, controller.Kind+"/"+controller.Name)
	}
}

// LinkNew links a new record to its Job. gone is true if the Job is deleted or will soon be.
func LinkNew(je *joberrorv1.JobError, job *batchv1.Job, gone bool, namespaceUID types.UID, policy retention.Policy) {
	if gone {
		Remember(je, job, namespaceUID)
	} else {
		Apply(je, job, namespaceUID, policy)
		metav1.SetMetaDataLabel(&je.ObjectMeta, joberrorv1.LabelJobUID, string(job.UID))
	}
	RememberRetention(je, job)
}

// RememberRetention records the Job's own retention on a new JobError, because the Job may
// be deleted before the first status update records it.
func RememberRetention(je *joberrorv1.JobError, job *batchv1.Job) {
	if own := retention.Requested(job); own != "" {
		metav1.SetMetaDataAnnotation(&je.ObjectMeta, joberrorv1.AnnotationRetention, own)
	}
}

// EnsureNamespaceOwner adds the Namespace as an owner to a JobError that has any owner, so
// that the JobError outlives the others.
func EnsureNamespaceOwner(je *joberrorv1.JobError, namespaceUID types.UID) {
	if len(je.OwnerReferences) > 0 {
		ensureOwner(je, namespaceOwner(je, namespaceUID))
	}
}

// DropForeign removes the owner references to any other Job and any other Namespace. A
// manifest from another cluster, or an old one, may contain them. The Job may be nil.
func DropForeign(je *joberrorv1.JobError, job *batchv1.Job, namespaceUID types.UID) {
	je.OwnerReferences = slices.DeleteFunc(je.OwnerReferences, func(o metav1.OwnerReference) bool {
		return isJob(o) && (job == nil || o.UID != job.UID) || o.Kind == "Namespace" && o != namespaceOwner(je, namespaceUID)
	})
}

func jobOwner(job *batchv1.Job) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: batchv1.SchemeGroupVersion.String(), Kind: "Job", Name: job.Name, UID: job.UID}
}

func namespaceOwner(je *joberrorv1.JobError, uid types.UID) metav1.OwnerReference {
	return metav1.OwnerReference{APIVersion: corev1.SchemeGroupVersion.String(), Kind: "Namespace", Name: je.Namespace, UID: uid}
}

func isJob(o metav1.OwnerReference) bool {
	return o.APIVersion == batchv1.SchemeGroupVersion.String() && o.Kind == "Job"
}

// Linked returns the Job that a JobError is linked to, or nil. The link is permanent: a
// later Job with the same name is another Job.
func Linked(je *joberrorv1.JobError) *joberrorv1.JobReference {
	if je.Status.Job != nil {
		return je.Status.Job
	}
	for _, o := range je.OwnerReferences {
		if isJob(o) && (o.Name == je.Spec.JobID || string(o.UID) == je.Spec.JobID) {
			return &joberrorv1.JobReference{Name: o.Name, UID: o.UID, Retention: retention.Remembered(je)}
		}
	}
	// A user may have copied the labels from an error of another Job.
	if uid := je.Labels[joberrorv1.LabelJobUID]; uid != "" && je.Labels[joberrorv1.LabelJobName] == je.Spec.JobID {
		return &joberrorv1.JobReference{Name: je.Spec.JobID, UID: types.UID(uid), Retention: retention.Remembered(je)}
	}
	return nil
}

// HasJobOwner reports whether the Job with this UID is an owner of the JobError.
func HasJobOwner(je *joberrorv1.JobError, jobUID types.UID) bool {
	return slices.ContainsFunc(je.OwnerReferences, func(o metav1.OwnerReference) bool { return isJob(o) && o.UID == jobUID })
}

func ensureOwner(je *joberrorv1.JobError, owner metav1.OwnerReference) {
	if slices.Contains(je.OwnerReferences, owner) {
		return
	}
	// The API server accepts one reference for each UID.
	je.OwnerReferences = slices.DeleteFunc(je.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == owner.UID })
	je.OwnerReferences = append(je.OwnerReferences, owner)
}
