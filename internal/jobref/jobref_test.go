// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

const (
	earlierUID = types.UID("0a-earlier")
	jobUID     = types.UID("1b-job")
)

func TestOwns(t *testing.T) {
	t.Parallel()
	backup := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "backup", UID: jobUID}}
	byName := Ref{Namespace: "team", ID: "backup", Job: backup}
	byUID := Ref{Namespace: "team", ID: string(jobUID), Job: backup}
	deletedByName := Ref{Namespace: "team", ID: "backup"}
	deletedByUID := Ref{Namespace: "team", ID: string(jobUID)}
	linked := &joberrorv1.JobReference{Name: "backup", UID: jobUID}
	linkedEarlier := &joberrorv1.JobReference{Name: "backup", UID: earlierUID}

	for _, tc := range []struct {
		name             string
		ref              Ref
		namespace, jobID string
		linked           *joberrorv1.JobReference
		want             bool
	}{
		{name: "by name: an error with that name", ref: byName, jobID: "backup", want: true},
		{name: "by name: an error with the Job's UID", ref: byName, jobID: string(jobUID), want: true},
		{name: "by name: a linked error with the Job's UID", ref: byName, jobID: string(jobUID), linked: linked, want: true},
		{name: "by name: an error of an earlier Job with that name", ref: byName, jobID: "backup", linked: linkedEarlier, want: true},
		{name: "by name: an error with the UID of an earlier Job with that name", ref: byName, jobID: string(earlierUID), linked: linkedEarlier, want: true},
		{name: "by name: not an error with another name", ref: byName, jobID: "restore"},
		{name: "by name: not an error with a longer name", ref: byName, jobID: "backup-2"},

		{name: "by UID: an error with that UID", ref: byUID, jobID: string(jobUID), want: true},
		{name: "by UID: an error with the Job's name", ref: byUID, jobID: "backup", want: true},
		{name: "by UID: a linked error with the Job's name", ref: byUID, jobID: "backup", linked: linked, want: true},
		{name: "by UID: not an error of an earlier Job with that name", ref: byUID, jobID: "backup", linked: linkedEarlier},
		{name: "by UID: not an error with another UID", ref: byUID, jobID: string(earlierUID)},

		{name: "deleted Job, by name: an error with that name", ref: deletedByName, jobID: "backup", want: true},
		{name: "deleted Job, by name: an error linked to that name", ref: deletedByName, jobID: string(jobUID), linked: linked, want: true},
		{name: "deleted Job, by name: not an unlinked error with a UID", ref: deletedByName, jobID: string(jobUID)},
		{name: "deleted Job, by UID: an error linked to that UID", ref: deletedByUID, jobID: "backup", linked: linked, want: true},
		{name: "deleted Job, by UID: not an unlinked error with a name", ref: deletedByUID, jobID: "backup"},

		{name: "by name: not an error in another namespace", ref: byName, namespace: "other", jobID: "backup"},
		{name: "by UID: not an error in another namespace", ref: byUID, namespace: "other", jobID: string(jobUID), linked: linked},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := &joberrorv1.JobError{
				ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "e1"},
				Spec:       joberrorv1.JobErrorSpec{JobID: tc.jobID},
				Status:     joberrorv1.JobErrorStatus{Job: tc.linked},
			}
			if tc.namespace != "" {
				je.Namespace = tc.namespace
			}
			if got := tc.ref.Owns(je); got != tc.want {
				t.Errorf("Owns = %t, want %t", got, tc.want)
			}
		})
	}
}
