// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	joberrorv1 "joberror.io/operator/api/v1"
)

// stripNamespace drops the metadata that the operator does not read. It accepts a Namespace
// and the metadata of one.
func stripNamespace(obj any) (any, error) {
	if namespace, ok := obj.(metav1.Object); ok {
		namespace.SetManagedFields(nil)
		labels := namespace.GetLabels()
		namespace.SetLabels(nil)
		if severity, has := labels[joberrorv1.LabelSeverity]; has {
			namespace.SetLabels(map[string]string{joberrorv1.LabelSeverity: severity})
		}
		namespace.SetOwnerReferences(nil)
		dropForeign(namespace.GetAnnotations())
	}
	return obj, nil
}
