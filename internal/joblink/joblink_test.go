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
	"joberror.io/operator/internal/retention"
)

const namespaceUID = types.UID("0a-namespace")

var (
	jobRef       = metav1.OwnerReference{APIVersion: "batch/v1", Kind: "Job", Name: "backup", UID: "1b-job"}
	namespaceRef = metav1.OwnerReference{APIVersion: "v1", Kind: "Namespace", Name: "team", UID: namespaceUID}
	foreignRef   = metav1.OwnerReference{APIVersion: "example.com/v1", Kind: "Pipeline", Name: "nightly", UID: "2c-pipeline"}
)

func errorOwnedBy(owners ...metav1.OwnerReference) *joberrorv1.JobError {
	return &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "e1", OwnerReferences: owners},
		Spec:       joberrorv1.JobErrorSpec{JobID: "backup"},
	}
}

func newJob(options ...func(*batchv1.Job)) *batchv1.Job {
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "backup", UID: "1b-job"}}
	for _, option := range options {
		option(j)
	}
	return j
}

func withName(name string) func(*batchv1.Job) { return func(j *batchv1.Job) { j.Name = name } }

func withPolicy(value string) func(*batchv1.Job) {
	return func(j *batchv1.Job) { j.Annotations = map[string]string{joberrorv1.AnnotationDeletionPolicy: value} }
}

func beingDeleted(j *batchv1.Job) {
	at := metav1.NewTime(time.Date(2026, time.November, 5, 12, 0, 0, 0, time.UTC))
	j.DeletionTimestamp = &at
}

func TestApply(t *testing.T) {
	t.Parallel()
	cascade := retention.Policy{AllowCascade: true}
	longest, tooLong := strings.Repeat("a", 63), strings.Repeat("a", 64)
	refTo := func(name string) metav1.OwnerReference {
		ref := jobRef
		ref.Name = name
		return ref
	}
	for _, tc := range []struct {
		name      string
		job       *batchv1.Job
		policy    retention.Policy
		before    []metav1.OwnerReference
		want      []metav1.OwnerReference
		wantLabel string
	}{
		{name: "the Job and the Namespace become owners", job: newJob(),
			want: []metav1.OwnerReference{jobRef, namespaceRef}, wantLabel: "backup"},
		{name: "a linked error stays unchanged", job: newJob(),
			before: []metav1.OwnerReference{jobRef, namespaceRef},
			want:   []metav1.OwnerReference{jobRef, namespaceRef}, wantLabel: "backup"},
		{name: "a missing reference is added", job: newJob(), before: []metav1.OwnerReference{namespaceRef},
			want: []metav1.OwnerReference{namespaceRef, jobRef}, wantLabel: "backup"},
		{name: "other owners are kept", job: newJob(), before: []metav1.OwnerReference{foreignRef},
			want: []metav1.OwnerReference{foreignRef, jobRef, namespaceRef}, wantLabel: "backup"},
		{name: "Cascade leaves the Namespace out", job: newJob(withPolicy("Cascade")), policy: cascade,
			want: []metav1.OwnerReference{jobRef}, wantLabel: "backup"},
		{name: "Cascade that is not allowed counts as none", job: newJob(withPolicy("Cascade")),
			before: []metav1.OwnerReference{jobRef},
			want:   []metav1.OwnerReference{jobRef, namespaceRef}, wantLabel: "backup"},
		{name: "Cascade removes only the Namespace", job: newJob(withPolicy("Cascade")), policy: cascade,
			before: []metav1.OwnerReference{foreignRef, namespaceRef, jobRef},
			want:   []metav1.OwnerReference{foreignRef, jobRef}, wantLabel: "backup"},
		{name: "without Cascade, the Namespace becomes an owner again", job: newJob(),
			before: []metav1.OwnerReference{jobRef},
			want:   []metav1.OwnerReference{jobRef, namespaceRef}, wantLabel: "backup"},
		{name: "an unknown policy counts as none", job: newJob(withPolicy("cascade")), policy: cascade,
			want: []metav1.OwnerReference{jobRef, namespaceRef}, wantLabel: "backup"},
		{name: "a Job that is being deleted adds no owner", job: newJob(beingDeleted), wantLabel: "backup"},
		{name: "a Job that is being deleted removes no owner", job: newJob(beingDeleted), before: []metav1.OwnerReference{namespaceRef},
			want: []metav1.OwnerReference{namespaceRef}, wantLabel: "backup"},
		{name: "a name as long as a label value may be becomes the label", job: newJob(withName(longest)),
			want: []metav1.OwnerReference{refTo(longest), namespaceRef}, wantLabel: longest},
		{name: "a name that is too long for a label value sets no label but links", job: newJob(withName(tooLong)),
			want: []metav1.OwnerReference{refTo(tooLong), namespaceRef}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			je := errorOwnedBy(tc.before...)
			for _, when := range []string{"the first time", "the second time"} {
				Apply(je, tc.job, namespaceUID, tc.policy)
				if !reflect.DeepEqual(je.OwnerReferences, tc.want) {
					t.Errorf("%s: owners = %v, want %v", when, je.OwnerReferences, tc.want)
				}
				if got := je.Labels[joberrorv1.LabelJobName]; got != tc.wantLabel {
					t.Errorf("%s: label = %q, want %q", when, got, tc.wantLabel)
				}
			}
			for _, o := range je.OwnerReferences {
				if o.Controller != nil || o.BlockOwnerDeletion != nil {
					t.Errorf("owner %s = %+v, want no controller and no blockOwnerDeletion", o.Kind, o)
				}
			}
		})
	}
}

func TestApplyKeepsOtherLabels(t *testing.T) {
	t.Parallel()
	je := errorOwnedBy()
	je.Labels = map[string]string{"team": "payments"}
	Apply(je, newJob(), namespaceUID, retention.Policy{})
	want := map[string]string{"team": "payments", joberrorv1.LabelJobName: "backup"}
	if !reflect.DeepEqual(je.Labels, want) {
		t.Errorf("labels = %v, want %v", je.Labels, want)
	}
}

func TestTheErrorOfARetryHasItsLineage(t *testing.T) {
	t.Parallel()
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "import-r1", UID: "r1", Labels: map[string]string{joberrorv1.LabelLineage: "root"}}}
	for name, gone := range map[string]bool{"its Job exists": false, "its Job is gone": true} {
		je := &joberrorv1.JobError{ObjectMeta: metav1.ObjectMeta{Namespace: "team"}}
		if LinkNew(je, job, gone, "ns", retention.Policy{}); je.Labels[joberrorv1.LabelLineage] != "root" {
			t.Errorf("%s: labels = %v, want the lineage", name, je.Labels)
		}
	}
}
