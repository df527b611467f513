// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joblink

import (
	"reflect"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestEnsureNamespaceOwner(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		before, want []metav1.OwnerReference
	}{
		{name: "an error without owners stays unchanged"},
		{name: "an error with a Job outlives the Job", before: owners(jobRef), want: owners(jobRef, namespaceRef)},
		{name: "an error with another owner outlives that owner", before: owners(foreignRef), want: owners(foreignRef, namespaceRef)},
		{name: "an error with its Namespace stays unchanged", before: owners(namespaceRef, jobRef), want: owners(namespaceRef, jobRef)},
		{name: "a reference with the wrong namespace name is corrected", before: owners(jobRef, misnamed), want: owners(jobRef, namespaceRef)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := errorOwnedBy(tc.before...)
			EnsureNamespaceOwner(je, namespaceUID)
			if !reflect.DeepEqual(je.OwnerReferences, tc.want) {
				t.Errorf("owners = %v, want %v", je.OwnerReferences, tc.want)
			}
		})
	}
}

func TestDropForeign(t *testing.T) {
	t.Parallel()
	otherJob, otherNamespace := jobRef, namespaceRef
	otherJob.UID, otherNamespace.UID = "9z-other", "9z-other-namespace"
	for _, tc := range []struct {
		name         string
		job          *batchv1.Job
		before, want []metav1.OwnerReference
	}{
		{name: "the Job and the Namespace are kept", job: newJob(), before: owners(jobRef, namespaceRef), want: owners(jobRef, namespaceRef)},
		{name: "another cluster's Job and Namespace are dropped", job: newJob(), before: owners(otherJob, otherNamespace), want: owners()},
		{name: "valid references are kept", job: newJob(),
			before: owners(otherJob, jobRef, otherNamespace, namespaceRef), want: owners(jobRef, namespaceRef)},
		{name: "without a Job, any reference to a Job is dropped", before: owners(jobRef, namespaceRef), want: owners(namespaceRef)},
		{name: "a reference with the wrong namespace name is dropped", job: newJob(), before: owners(jobRef, misnamed), want: owners(jobRef)},
		{name: "owners of other kinds are kept", before: owners(foreignRef), want: owners(foreignRef)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := errorOwnedBy(tc.before...)
			DropForeign(je, tc.job, namespaceUID)
			if !reflect.DeepEqual(je.OwnerReferences, tc.want) {
				t.Errorf("owners = %v, want %v", je.OwnerReferences, tc.want)
			}
		})
	}
}

// misnamed has the Namespace's UID with another name. The garbage collector would consider
// the owner deleted.
var misnamed = func() metav1.OwnerReference {
	ref := namespaceRef
	ref.Name = "nowhere"
	return ref
}()

func owners(refs ...metav1.OwnerReference) []metav1.OwnerReference {
	return append([]metav1.OwnerReference{}, refs...)
}
