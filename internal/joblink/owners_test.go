// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joblink

import (
	"reflect"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestKeep(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name         string
		before, want []metav1.OwnerReference
	}{
		{name: "an error without owners lasts as it is"},
		{name: "an error with a Job outlives it", before: owners(ofJob), want: owners(ofJob, ofNamespace)},
		{name: "an error with somebody else's owner outlives it", before: owners(foreignOwner), want: owners(foreignOwner, ofNamespace)},
		{name: "an error with its Namespace stays as it is", before: owners(ofNamespace, ofJob), want: owners(ofNamespace, ofJob)},
		{name: "a Namespace that its owner disguised is put right", before: owners(ofJob, disguised), want: owners(ofJob, ofNamespace)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := errorOwnedBy(tc.before...)
			Keep(je, namespaceUID)
			if !reflect.DeepEqual(je.OwnerReferences, tc.want) {
				t.Errorf("owners = %v, want %v", je.OwnerReferences, tc.want)
			}
		})
	}
}

func TestDropForeign(t *testing.T) {
	t.Parallel()
	otherJob, otherNamespace := ofJob, ofNamespace
	otherJob.UID, otherNamespace.UID = "9z-other", "9z-other-namespace"
	for _, tc := range []struct {
		name         string
		job          *batchv1.Job
		before, want []metav1.OwnerReference
	}{
		{name: "the Job and the Namespace are kept", job: job(), before: owners(ofJob, ofNamespace), want: owners(ofJob, ofNamespace)},
		{name: "another cluster's Job and Namespace are dropped", job: job(), before: owners(otherJob, otherNamespace), want: owners()},
		{name: "those that are right are kept beside them", job: job(),
			before: owners(otherJob, ofJob, otherNamespace, ofNamespace), want: owners(ofJob, ofNamespace)},
		{name: "without a Job, a reference to one is dropped", before: owners(ofJob, ofNamespace), want: owners(ofNamespace)},
		{name: "a Namespace that its owner disguised is dropped", job: job(), before: owners(ofJob, disguised), want: owners(ofJob)},
		{name: "owners of other kinds are kept", before: owners(foreignOwner), want: owners(foreignOwner)},
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

// disguised bears the Namespace's UID under another name: the garbage collector
// would not find its owner.
var disguised = func() metav1.OwnerReference {
	o := ofNamespace
	o.Name = "nowhere"
	return o
}()

func owners(all ...metav1.OwnerReference) []metav1.OwnerReference {
	return append([]metav1.OwnerReference{}, all...)
}
