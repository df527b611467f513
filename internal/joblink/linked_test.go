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
	otherJob, otherKind, otherGroup := jobRef, jobRef, jobRef
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
		{name: "an error without owner and status has no link", jobID: "backup"},
		{name: "an owner with the name in _jobId is the Job", jobID: "backup", owners: []metav1.OwnerReference{namespaceRef, jobRef}, want: known},
		{name: "an owner with the UID in _jobId is the Job", jobID: "1b-job", owners: []metav1.OwnerReference{jobRef}, want: known},
		{name: "the status overrides the owners", jobID: "backup", status: remembered, owners: []metav1.OwnerReference{jobRef}, want: remembered},
		{name: "the status remains after the owner is removed", jobID: "backup", status: remembered, want: remembered},
		{name: "another Job as an owner is not a link", jobID: "backup", owners: []metav1.OwnerReference{otherJob}},
		{name: "an owner of another kind is not a link", jobID: "backup", owners: []metav1.OwnerReference{otherKind}},
		{name: "a Job of another API group is not a link", jobID: "backup", owners: []metav1.OwnerReference{otherGroup}},
		{name: "the labels link if the owner is removed before the first status", jobID: "backup",
			labels: map[string]string{joberrorv1.LabelJobName: "backup", joberrorv1.LabelJobUID: "1b-job"}, want: known},
		{name: "labels copied from another error are not a link", jobID: "restore",
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

func TestHasJobOwner(t *testing.T) {
	t.Parallel()
	je := errorOwnedBy(foreignRef, jobRef)
	for uid, want := range map[types.UID]bool{
		jobRef.UID:     true,
		foreignRef.UID: false,
		namespaceUID:   false,
		"":             false,
	} {
		if got := HasJobOwner(je, uid); got != want {
			t.Errorf("HasJobOwner(%q) = %t, want %t", uid, got, want)
		}
	}
}

func TestADeletedJobIsRemembered(t *testing.T) {
	t.Parallel()
	for name, job := range map[string]*batchv1.Job{"deleted": newJob(), "being deleted": newJob(beingDeleted)} {
		je := errorOwnedBy()
		Remember(je, job, namespaceUID)
		if !HasJobOwner(je, jobRef.UID) || !slices.Contains(je.OwnerReferences, namespaceRef) {
			t.Errorf("%s: owners = %v, want the Job and the Namespace", name, je.OwnerReferences)
		}
		je.OwnerReferences = []metav1.OwnerReference{namespaceRef}
		if linked := Linked(je); linked == nil || linked.UID != jobRef.UID || linked.Name != "backup" {
			t.Errorf("%s: Linked without the owner = %+v, want the Job", name, linked)
		}
	}
}

// The Job may be deleted before the first status records its retention.
func TestTheRetentionIsRemembered(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "backup", UID: "1b-job", Annotations: map[string]string{joberrorv1.AnnotationRetention: "7d"}}}
	je := errorOwnedBy()
	je.Spec.JobID = "backup"
	Remember(je, job, "0a-namespace")
	RememberRetention(je, job)
	if got := Linked(je); got == nil || got.Retention != "7d" || got.UID != "1b-job" {
		t.Errorf("Linked = %+v, want the retention 7d", got)
	}
}
