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
	goneByName := Ref{Namespace: "team", ID: "backup"}
	goneByUID := Ref{Namespace: "team", ID: string(jobUID)}
	linked := &joberrorv1.JobReference{Name: "backup", UID: jobUID}
	linkedEarlier := &joberrorv1.JobReference{Name: "backup", UID: earlierUID}

	for _, tc := range []struct {
		name             string
		ref              Ref
		namespace, jobID string
		linked           *joberrorv1.JobReference
		want             bool
	}{
		{name: "asked by name, it is an error of that name", ref: byName, jobID: "backup", want: true},
		{name: "asked by name, it is an error that names the Job by UID", ref: byName, jobID: string(jobUID), want: true},
		{name: "asked by name, it is a linked error that names the Job by UID", ref: byName, jobID: string(jobUID), linked: linked, want: true},
		{name: "asked by name, an error of an earlier Job of that name is one too", ref: byName, jobID: "backup", linked: linkedEarlier, want: true},
		{name: "asked by name, so is one that names the earlier Job by UID", ref: byName, jobID: string(earlierUID), linked: linkedEarlier, want: true},
		{name: "asked by name, an error of another name is not", ref: byName, jobID: "restore"},
		{name: "asked by name, an error of a name that begins alike is not", ref: byName, jobID: "backup-2"},

		{name: "asked by UID, it is an error of that UID", ref: byUID, jobID: string(jobUID), want: true},
		{name: "asked by UID, it is an error that names the Job by name", ref: byUID, jobID: "backup", want: true},
		{name: "asked by UID, it is a linked error that names the Job by name", ref: byUID, jobID: "backup", linked: linked, want: true},
		{name: "asked by UID, an error of an earlier Job of that name is not", ref: byUID, jobID: "backup", linked: linkedEarlier},
		{name: "asked by UID, an error of another UID is not", ref: byUID, jobID: string(earlierUID)},

		{name: "the Job is gone: asked by name, it is an error of that name", ref: goneByName, jobID: "backup", want: true},
		{name: "the Job is gone: asked by name, it is an error linked to that name", ref: goneByName, jobID: string(jobUID), linked: linked, want: true},
		{name: "the Job is gone: asked by name, a UID that was never linked is not", ref: goneByName, jobID: string(jobUID)},
		{name: "the Job is gone: asked by UID, it is an error linked to that UID", ref: goneByUID, jobID: "backup", linked: linked, want: true},
		{name: "the Job is gone: asked by UID, a name that was never linked is not", ref: goneByUID, jobID: "backup"},

		{name: "an error in another namespace is not, by name", ref: byName, namespace: "other", jobID: "backup"},
		{name: "an error in another namespace is not, by UID", ref: byUID, namespace: "other", jobID: string(jobUID), linked: linked},
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
