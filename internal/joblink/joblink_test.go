// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joblink

import (
	"reflect"
	"strings"
	"testing"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
)

const namespaceUID = types.UID("0a-namespace")

var (
	ofJob        = metav1.OwnerReference{APIVersion: "batch/v1", Kind: "Job", Name: "backup", UID: "1b-job"}
	ofNamespace  = metav1.OwnerReference{APIVersion: "v1", Kind: "Namespace", Name: "team", UID: namespaceUID}
	foreignOwner = metav1.OwnerReference{APIVersion: "example.com/v1", Kind: "Pipeline", Name: "nightly", UID: "2c-pipeline"}
)

func errorOwnedBy(owners ...metav1.OwnerReference) *joberrorv1.JobError {
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "e1", OwnerReferences: owners},
		Spec:       joberrorv1.JobErrorSpec{JobID: "backup"},
	}
}

func job(with ...func(*batchv1.Job)) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "backup", UID: "1b-job"}}
	for _, f := range with {
		f(j)
	}
	return j
}

func named(name string) func(*batchv1.Job) { return func(j *batchv1.Job) { j.Name = name } }

func policy(value string) func(*batchv1.Job) {
	return func(j *batchv1.Job) { j.Annotations = map[string]string{joberrorv1.AnnotationDeletionPolicy: value} }
}

func beingDeleted(j *batchv1.Job) {
	at := metav1.NewTime(time.Date(2026, time.November, 5, 12, 0, 0, 0, time.UTC))
	j.DeletionTimestamp = &at
}

func TestApply(t *testing.T) {
	t.Parallel()
	longest, tooLong := strings.Repeat("a", 63), strings.Repeat("a", 64)
	withName := func(name string) metav1.OwnerReference {
		owner := ofJob
		owner.Name = name
		return owner
	}
	for _, tc := range []struct {
		name      string
		job       *batchv1.Job
		before    []metav1.OwnerReference
		want      []metav1.OwnerReference
		wantLabel string
	}{
		{name: "the Job and the Namespace become owners", job: job(),
			want: []metav1.OwnerReference{ofJob, ofNamespace}, wantLabel: "backup"},
		{name: "an error that is linked stays as it is", job: job(),
			before: []metav1.OwnerReference{ofJob, ofNamespace},
			want:   []metav1.OwnerReference{ofJob, ofNamespace}, wantLabel: "backup"},
		{name: "a reference that is missing is added", job: job(), before: []metav1.OwnerReference{ofNamespace},
			want: []metav1.OwnerReference{ofNamespace, ofJob}, wantLabel: "backup"},
		{name: "somebody else's owner is kept", job: job(), before: []metav1.OwnerReference{foreignOwner},
			want: []metav1.OwnerReference{foreignOwner, ofJob, ofNamespace}, wantLabel: "backup"},
		{name: "Cascade leaves the Namespace out", job: job(policy("Cascade")),
			want: []metav1.OwnerReference{ofJob}, wantLabel: "backup"},
		{name: "Cascade takes the Namespace away, and nobody else", job: job(policy("Cascade")),
			before: []metav1.OwnerReference{foreignOwner, ofNamespace, ofJob},
			want:   []metav1.OwnerReference{foreignOwner, ofJob}, wantLabel: "backup"},
		{name: "a Job that no longer asks for Cascade gets the Namespace back", job: job(),
			before: []metav1.OwnerReference{ofJob},
			want:   []metav1.OwnerReference{ofJob, ofNamespace}, wantLabel: "backup"},
		{name: "another policy than Cascade is none", job: job(policy("cascade")),
			want: []metav1.OwnerReference{ofJob, ofNamespace}, wantLabel: "backup"},
		{name: "a Job that is being deleted adds no owner", job: job(beingDeleted), wantLabel: "backup"},
		{name: "a Job that is being deleted takes no owner", job: job(beingDeleted), before: []metav1.OwnerReference{ofNamespace},
			want: []metav1.OwnerReference{ofNamespace}, wantLabel: "backup"},
		{name: "the longest name that a label can hold is its value", job: job(named(longest)),
			want: []metav1.OwnerReference{withName(longest), ofNamespace}, wantLabel: longest},
		{name: "a name that is too long for a label gets none, and links still", job: job(named(tooLong)),
			want: []metav1.OwnerReference{withName(tooLong), ofNamespace}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := errorOwnedBy(tc.before...)
			for _, when := range []string{"at first", "a second time"} {
				Apply(je, tc.job, namespaceUID)
				if !reflect.DeepEqual(je.OwnerReferences, tc.want) {
					t.Errorf("%s: owners = %v, want %v", when, je.OwnerReferences, tc.want)
				}
				if got := je.Labels[joberrorv1.LabelJobName]; got != tc.wantLabel {
					t.Errorf("%s: label = %q, want %q", when, got, tc.wantLabel)
				}
			}
			for _, o := range je.OwnerReferences {
				if o.Controller != nil || o.BlockOwnerDeletion != nil {
					t.Errorf("owner %s must neither control the error nor wait for it", o.Kind)
				}
			}
		})
	}
}

func TestApplyKeepsOtherLabels(t *testing.T) {
	t.Parallel()
	je := errorOwnedBy()
	je.Labels = map[string]string{"team": "payments"}
	Apply(je, job(), namespaceUID)
	want := map[string]string{"team": "payments", joberrorv1.LabelJobName: "backup"}
	if !reflect.DeepEqual(je.Labels, want) {
		t.Errorf("labels = %v, want %v", je.Labels, want)
	}
}
