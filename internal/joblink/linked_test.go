// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joblink

import (
	"reflect"
	"slices"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestLinked(t *testing.T) {
	t.Parallel()
	known := &joberrorv1.JobReference{Name: "backup", UID: "1b-job"}
	remembered := &joberrorv1.JobReference{Name: "backup", UID: "9z-earlier", Retention: "7d"}
	otherJob, otherKind, otherGroup := ofJob, ofJob, ofJob
	otherJob.Name, otherJob.UID = "restore", "3d-other"
	otherKind.Kind = "CronJob"
	otherGroup.APIVersion = "example.com/v1"
	for _, tc := range []struct {
		name   string
		jobID  string
		status *joberrorv1.JobReference
		owners []metav1.OwnerReference
		labels map[string]string
		want   *joberrorv1.JobReference
	}{
		{name: "an error without owner and status is linked to none", jobID: "backup"},
		{name: "an owner of the _jobId's name is its Job", jobID: "backup", owners: []metav1.OwnerReference{ofNamespace, ofJob}, want: known},
		{name: "an owner of the _jobId's UID is its Job", jobID: "1b-job", owners: []metav1.OwnerReference{ofJob}, want: known},
		{name: "the status comes before the owners", jobID: "backup", status: remembered, owners: []metav1.OwnerReference{ofJob}, want: remembered},
		{name: "the status holds after the owner is gone", jobID: "backup", status: remembered, want: remembered},
		{name: "an owner that is another Job is no link", jobID: "backup", owners: []metav1.OwnerReference{otherJob}},
		{name: "an owner of another kind is no link", jobID: "backup", owners: []metav1.OwnerReference{otherKind}},
		{name: "a Job of another group is no link", jobID: "backup", owners: []metav1.OwnerReference{otherGroup}},
		{name: "the labels hold where the owner is gone before the status is there", jobID: "backup",
			labels: map[string]string{joberrorv1.LabelJobName: "backup", joberrorv1.LabelJobUID: "1b-job"}, want: known},
		{name: "labels that were copied from another error are no link", jobID: "restore",
			labels: map[string]string{joberrorv1.LabelJobName: "backup", joberrorv1.LabelJobUID: "1b-job"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := errorOwnedBy(tc.owners...)
			je.Labels = tc.labels
			je.Spec.JobID = tc.jobID
			je.Status.Job = tc.status
			if got := Linked(je); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("Linked = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestHasOwner(t *testing.T) {
	t.Parallel()
	je := errorOwnedBy(foreignOwner, ofJob)
	for uid, want := range map[types.UID]bool{
		ofJob.UID:        true,
		foreignOwner.UID: false,
		namespaceUID:     false,
		"":               false,
	} {
		if got := HasOwner(je, uid); got != want {
			t.Errorf("HasOwner(%q) = %t, want %t", uid, got, want)
		}
	}
}

func TestCascades(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{"Cascade": true, "cascade": false, "Keep": false, "": false} {
		if got := Cascades(job(policy(value))); got != want {
			t.Errorf("Cascades under the policy %q = %t, want %t", value, got, want)
		}
	}
	if Cascades(job()) {
		t.Error("a Job without the annotation must not cascade")
	}
}

func TestAJobThatIsGoneIsRemembered(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]*batchv1.Job{"gone": job(), "going": job(beingDeleted)} {
		je := errorOwnedBy()
		Remember(je, gone, namespaceUID)
		if !HasOwner(je, ofJob.UID) || !slices.Contains(je.OwnerReferences, ofNamespace) {
			t.Errorf("%s: owners are %v", name, je.OwnerReferences)
		}
		je.OwnerReferences = []metav1.OwnerReference{ofNamespace}
		if linked := Linked(je); linked == nil || linked.UID != ofJob.UID || linked.Name != "backup" {
			t.Errorf("%s: without the owner it is linked to %+v", name, linked)
		}
	}
}

// The Job may be gone before the first status holds its retention.
func TestTheRetentionIsRemembered(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "backup", UID: "1b-job", Annotations: map[string]string{joberrorv1.AnnotationRetention: "7d"}}}
	je := errorOwnedBy()
	je.Spec.JobID = "backup"
	Remember(je, job, "0a-namespace")
	RememberRetention(je, job)
	if got := Linked(je); got == nil || got.Retention != "7d" || got.UID != "1b-job" {
		t.Errorf("Linked = %+v", got)
	}
}
