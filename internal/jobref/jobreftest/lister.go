// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobreftest

import (
	"context"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"joberror.io/operator/internal/informers"
)

// Lister returns a Lister of the objects that a client has. list is a list of their type.
func Lister[T client.Object](reader client.Reader, list client.ObjectList) informers.Lister[T] {
	return func(ctx context.Context, namespace string, visit func(T)) error {
		found := list.DeepCopyObject().(client.ObjectList)
		if err := reader.List(ctx, found, client.InNamespace(namespace)); err != nil {
			return err
		}
		return meta.EachListItem(found, func(obj runtime.Object) error {
			visit(obj.(T))
			return nil
		})
	}
}
