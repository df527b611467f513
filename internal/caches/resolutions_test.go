// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"fmt"
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/resolution"
)

// fullResolution returns a resolution of this many named errors that is in progress.
func fullResolution(errorCount int) *joberrorv1.JobErrorResolution {
	jer := &joberrorv1.JobErrorResolution{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: "r", UID: "1", ResourceVersion: "7", Generation: 1, CreationTimestamp: morning,
			Labels: map[string]string{"team": "data"}, Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:_jobId":{},"f:errors":{},"f:reason":{}}}`)}},
		},
		Spec: joberrorv1.JobErrorResolutionSpec{JobID: "nightly", Reason: "fixed", RequestedBy: "alice"},
	}
	for i := range errorCount {
		jer.Spec.Errors = append(jer.Spec.Errors, fmt.Sprintf("nightly-import-%04d-%x", i, i*7919))
	}
	tally := resolution.NewTally(jer, morning.Time)
	for _, name := range jer.Spec.Errors {
		tally.Add(resolution.Outcome{Name: name, Result: resolution.Updated})
	}
	jer.Status = tally.Progress(morning.Time)
	return jer
}

// completed returns the resolution with all errors processed.
func completed(jer *joberrorv1.JobErrorResolution) *joberrorv1.JobErrorResolution {
	tally := resolution.NewTally(jer, morning.Time)
	for _, name := range jer.Spec.Errors {
		tally.Add(resolution.Outcome{Name: name, Result: resolution.Updated})
	}
	jer.Status = tally.Completed(morning.Time)
	return jer
}

func TestStripResolutionKeepsARequestInProgress(t *testing.T) {
	t.Parallel()
	want := fullResolution(3)
	want.Labels, want.Annotations, want.ManagedFields = nil, nil, nil
	if got := strip(t, stripResolution, fullResolution(3)); !reflect.DeepEqual(got, want) {
		t.Errorf("stripped = %+v, want %+v", got, want)
	}
}

func TestStripResolutionKeepsTheFirstNameOfACompleteOne(t *testing.T) {
	t.Parallel()
	for _, count := range []int{0, 1, 2, joberrorv1.MaxNamedErrors} {
		full := completed(fullResolution(count))
		want := full.DeepCopy()
		want.Labels, want.Annotations, want.ManagedFields = nil, nil, nil
		if count > 1 {
			want.Spec.Errors, want.Status.Errors = want.Spec.Errors[:1], want.Status.Errors[:1]
		}
		if got := strip(t, stripResolution, full); !reflect.DeepEqual(got, want) {
			t.Errorf("stripped of %d errors = %+v, want %+v", count, got, want)
		}
	}
}
