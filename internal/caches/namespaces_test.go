// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	"reflect"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

func TestStripNamespaceKeepsTheOperatorsAnnotations(t *testing.T) {
	t.Parallel()
	full := metav1.ObjectMeta{
		Name: "team", UID: "n", ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}, Labels: map[string]string{"team": "data", joberrorv1.LabelSeverity: "info"},
		Annotations: map[string]string{joberrorv1.AnnotationCapture: joberrorv1.Off, corev1.LastAppliedConfigAnnotation: "{}"},
	}
	want := metav1.ObjectMeta{Name: "team", UID: "n", Labels: map[string]string{joberrorv1.LabelSeverity: "info"}, Annotations: map[string]string{joberrorv1.AnnotationCapture: joberrorv1.Off}}
	if got := strip(t, stripNamespace, &metav1.PartialObjectMetadata{ObjectMeta: *full.DeepCopy()}); !reflect.DeepEqual(got.ObjectMeta, want) {
		t.Errorf("stripped metadata = %+v, want %+v", got.ObjectMeta, want)
	}
	if got := strip(t, stripNamespace, &corev1.Namespace{ObjectMeta: full}); !reflect.DeepEqual(got.ObjectMeta, want) {
		t.Errorf("stripped Namespace = %+v, want %+v", got.ObjectMeta, want)
	}
}
