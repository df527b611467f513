// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package joberrors writes JobErrors.
package joberrors

import (
	"context"
	"fmt"

	"golang.org/x/sync/semaphore"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
)

const resource = "joberrors"

// Writer creates and patches JobErrors. It does not decode the answers: the watch
// brings each change anyway, and decoding it twice costs more than anything else when
// very many errors are written.
//
// All controllers share one Writer, which limits the writes in flight, first come,
// first served. A busy API server answers everybody else later, and more writes in
// flight than it can use do not make it faster.
type Writer struct {
	rest       rest.Interface
	parameters runtime.ParameterCodec
	inFlight   *semaphore.Weighted
}

// NewWriter returns a Writer with at most maxInFlight writes in flight.
func NewWriter(mgr ctrl.Manager, maxInFlight int) (*Writer, error) {
	gvk := joberrorv1.GroupVersion.WithKind("JobError")
	restClient, err := apiutil.RESTClientForGVK(gvk, false, false, mgr.GetConfig(), serializer.NewCodecFactory(mgr.GetScheme()), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("make a client for JobErrors: %w", err)
	}
	return NewWriterForClient(restClient, mgr.GetScheme(), maxInFlight), nil
}

// NewWriterForClient returns a Writer that uses a client for the group of JobErrors.
func NewWriterForClient(restClient rest.Interface, scheme *runtime.Scheme, maxInFlight int) *Writer {
	return &Writer{rest: restClient, parameters: runtime.NewParameterCodec(scheme), inFlight: semaphore.NewWeighted(int64(maxInFlight))}
}

// Create creates a JobError.
func (w *Writer) Create(ctx context.Context, je *joberrorv1.JobError) error {
	if err := w.inFlight.Acquire(ctx, 1); err != nil {
		return err
	}
	defer w.inFlight.Release(1)
	err := w.rest.Post().
		Namespace(je.Namespace).Resource(resource).
		VersionedParams(&metav1.CreateOptions{FieldManager: attribution.FieldManager}, w.parameters).
		Body(je).Do(ctx).Error()
	return wrap("create JobError", err)
}

// Patch writes the difference between two states of a JobError. It fails with a
// conflict unless the JobError still has the resource version of before.
func (w *Writer) Patch(ctx context.Context, before, after *joberrorv1.JobError) error {
	return wrap("patch JobError", w.patch(ctx, before, after))
}

// PatchStatus writes the status of a JobError if it differs from before. It fails with
// a conflict unless the JobError still has the resource version that was read.
func (w *Writer) PatchStatus(ctx context.Context, je *joberrorv1.JobError, before *joberrorv1.JobErrorStatus) error {
	if equality.Semantic.DeepEqual(before, &je.Status) {
		return nil
	}
	// Leaving out everything else makes the comparison of the two objects cheaper.
	identity := metav1.ObjectMeta{Namespace: je.Namespace, Name: je.Name, ResourceVersion: je.ResourceVersion}
	err := w.patch(ctx,
		&joberrorv1.JobError{ObjectMeta: identity, Status: *before},
		&joberrorv1.JobError{ObjectMeta: identity, Status: je.Status}, "status")
	return wrap("patch the status of JobError", err)
}

func (w *Writer) patch(ctx context.Context, before, after *joberrorv1.JobError, subresource ...string) error {
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	body, err := patch.Data(after)
	if err != nil {
		return err
	}
	if err := w.inFlight.Acquire(ctx, 1); err != nil {
		return err
	}
	defer w.inFlight.Release(1)
	return w.rest.Patch(patch.Type()).
		Namespace(before.Namespace).Resource(resource).Name(before.Name).SubResource(subresource...).
		VersionedParams(&metav1.PatchOptions{FieldManager: attribution.FieldManager}, w.parameters).
		Body(body).Do(ctx).Error()
}

// wrap says what was attempted. The API server's errors name the object.
func wrap(attempt string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", attempt, err)
}
