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
			Labels:        map[string]string{"team": "data", restoreLabel: "r"},
			Annotations:   map[string]string{corev1.LastAppliedConfigAnnotation: "{}", joberrorv1.AnnotationUserID: "alice"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl", FieldsV1: metav1.NewFieldsV1(`{"f:spec":{"f:_jobId":{},"f:errors":{},"f:reason":{}}}`)}},
		},
		Spec: joberrorv1.JobErrorResolutionSpec{JobID: "nightly", Reason: "fixed", RequestedBy: "alice"},
	}
	for i := range errorCount {
		jer.Spec.Errors = append(jer.Spec.Errors, fmt.Sprintf("nightly-import-%04d-%x", i, i*7919))
	}
	tally := resolution.NewTally(jer, morning.Time)
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

func TestStripResolutionKeepsTheFirstNames(t *testing.T) {
	t.Parallel()
	for _, complete := range []bool{false, true} {
		for _, count := range []int{0, 1, 2, joberrorv1.MaxNamedErrors} {
			full := fullResolution(count)
			if complete {
				full = completed(full)
			}
			want := full.DeepCopy()
			want.ManagedFields, want.Labels, want.Annotations = nil, nil, nil
			if !complete {
				want.Labels = map[string]string{restoreLabel: "r"}
				want.Annotations = map[string]string{joberrorv1.AnnotationUserID: "alice"}
			}
			want.Spec.Errors = want.Spec.Errors[:min(count, 2)]
			want.Status.Errors = want.Status.Errors[:min(len(want.Status.Errors), 2)]
			if got := strip(t, stripResolution, full); !reflect.DeepEqual(got, want) {
				t.Errorf("complete %t with %d errors: stripped = %+v, want %+v", complete, count, got, want)
			}
		}
	}
}
