// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package joblink ties a JobError to its Job in such a way that it survives
// the Job, unless the Job asks for the opposite.
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
)

// Namespace returns the UID of a namespace.
func Namespace(ctx context.Context, cache client.Reader, name string) (types.UID, error) {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	err := cache.Get(ctx, types.NamespacedName{Name: name}, namespace)
	return namespace.UID, err
}

// Apply sets the label and the owner references that link a JobError to an
// existing Job. The garbage collector deletes an object when the last of its
// owners is gone, so the Namespace becomes a second owner, which lasts as long
// as the JobError may; under the Job's deletion policy Cascade it is left out.
func Apply(je *joberrorv1.JobError, job *batchv1.Job, namespace types.UID) {
	if len(validation.IsValidLabelValue(job.Name)) == 0 {
		metav1.SetMetaDataLabel(&je.ObjectMeta, joberrorv1.LabelJobName, job.Name)
	}
	// The garbage collector takes the reference to a Job that is being
	// deleted away; putting it back would be a quarrel.
	if !job.DeletionTimestamp.IsZero() {
		return
	}
	ensureOwner(je, metav1.OwnerReference{
		APIVersion: batchv1.SchemeGroupVersion.String(), Kind: "Job", Name: job.Name, UID: job.UID,
	})
	if Cascades(job) {
		je.OwnerReferences = slices.DeleteFunc(je.OwnerReferences, func(o metav1.OwnerReference) bool {
			return o.UID == namespace
		})
		return
	}
	ensureOwner(je, metav1.OwnerReference{
		APIVersion: corev1.SchemeGroupVersion.String(), Kind: "Namespace", Name: je.Namespace, UID: namespace,
	})
}

// Cascades tells whether a Job asks that its errors are deleted with it.
func Cascades(job *batchv1.Job) bool {
	return job.Annotations[joberrorv1.AnnotationDeletionPolicy] == joberrorv1.DeletionPolicyCascade
}

// Linked is the Job that a JobError is linked to already, or nil. The link is
// for good: a later Job of the same name is another Job.
func Linked(je *joberrorv1.JobError) *joberrorv1.JobReference {
	if je.Status.Job != nil {
		return je.Status.Job
	}
	for _, o := range je.OwnerReferences {
		isJob := o.APIVersion == batchv1.SchemeGroupVersion.String() && o.Kind == "Job"
		if isJob && (o.Name == je.Spec.JobID || string(o.UID) == je.Spec.JobID) {
			return &joberrorv1.JobReference{Name: o.Name, UID: o.UID}
		}
	}
	return nil
}

// HasOwner tells whether a JobError has an owner of that UID.
func HasOwner(je *joberrorv1.JobError, uid types.UID) bool {
	return slices.ContainsFunc(je.OwnerReferences, func(o metav1.OwnerReference) bool { return o.UID == uid })
}

func ensureOwner(je *joberrorv1.JobError, owner metav1.OwnerReference) {
	if !HasOwner(je, owner.UID) {
		je.OwnerReferences = append(je.OwnerReferences, owner)
	}
}
