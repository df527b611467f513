// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestStripRetryKeepsWhatIsReadAndNoOverrides(t *testing.T) {
	t.Parallel()
	jet := &joberrorv1.JobErrorRetry{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team", Name: "r", UID: "1", ResourceVersion: "7", Generation: 1, CreationTimestamp: morning,
			Annotations:   map[string]string{corev1.LastAppliedConfigAnnotation: "{}", joberrorv1.AnnotationRestoredStatus: "{}"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
		},
		Spec: joberrorv1.JobErrorRetrySpec{JobID: "import", RequestedBy: "alice", Set: []joberrorv1.ContainerOverride{{Container: "main", Args: []string{"--all"}}}},
	}
	stripped, err := stripRetry(jet)
	if err != nil {
		t.Fatal(err)
	}
	got := stripped.(*joberrorv1.JobErrorRetry)
	if got.Spec.Set != nil || got.ManagedFields != nil || len(got.Annotations) != 1 {
		t.Errorf("kept %+v, want no overrides, managed fields and foreign annotations", got)
	}
	if got.UID != "1" || got.ResourceVersion != "7" || got.CreationTimestamp != morning || got.Spec.JobID != "import" || got.Spec.RequestedBy != "alice" {
		t.Errorf("kept %+v, want what identifies the request", got)
	}
	if other, err := stripRetry(&corev1.Pod{}); err != nil || other == nil {
		t.Errorf("another object: %v, %v, want it unchanged", other, err)
	}
}
