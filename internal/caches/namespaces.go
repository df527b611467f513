// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package caches

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// stripNamespace drops the metadata that the operator does not read. It accepts a Namespace
// and the metadata of one.
func stripNamespace(obj any) (any, error) {
	if namespace, ok := obj.(metav1.Object); ok {
		namespace.SetManagedFields(nil)
		namespace.SetLabels(nil)
		namespace.SetOwnerReferences(nil)
		dropForeign(namespace.GetAnnotations())
	}
	return obj, nil
}
