// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package jobreftest makes clients that stand in for the manager's cache in tests of
// error paths.
package jobreftest

import (
	"context"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
)

// indexer adds indexes to a fake client.
type indexer struct{ builder *fake.ClientBuilder }

func (i indexer) IndexField(_ context.Context, obj client.Object, field string, extract client.IndexerFunc) error {
	i.builder.WithIndex(obj, field, extract)
	return nil
}

// Cache returns a client with the indexes of package jobref. It holds the objects, and
// its calls are intercepted.
func Cache(t *testing.T, intercept interceptor.Funcs, objects ...client.Object) client.WithWatch {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, joberrorv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(intercept).
		WithStatusSubresource(&joberrorv1.JobError{}, &joberrorv1.JobErrorResolution{})
	// The API server selects by name without an index.
	builder.WithIndex(&joberrorv1.JobError{}, "metadata.name", func(obj client.Object) []string { return []string{obj.GetName()} })
	if err := jobref.SetupIndexes(t.Context(), indexer{builder}); err != nil {
		t.Fatal(err)
	}
	return builder.Build()
}
