// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"

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

// writer creates and patches JobErrors and does not read the answers: the watch brings each
// change anyway, and decoding it twice is what writing very many would cost
// most.
//
// It bounds the writes in flight, of both reconcilers and all entries together:
// an API server that is kept busy answers everybody else later, and more in
// flight than it has use for does not make it faster. Whoever comes first
// writes first.
type writer struct {
	rest       rest.Interface
	parameters runtime.ParameterCodec
	inFlight   *semaphore.Weighted
}

func newWriter(mgr ctrl.Manager, inFlight int) (*writer, error) {
	kind := joberrorv1.GroupVersion.WithKind("JobError")
	client, err := apiutil.RESTClientForGVK(kind, false, false, mgr.GetConfig(), serializer.NewCodecFactory(mgr.GetScheme()), mgr.GetHTTPClient())
	return &writer{rest: client, parameters: runtime.NewParameterCodec(mgr.GetScheme()), inFlight: semaphore.NewWeighted(int64(inFlight))}, err
}

// Create creates a JobError.
func (w *writer) Create(ctx context.Context, je *joberrorv1.JobError) error {
	if err := w.inFlight.Acquire(ctx, 1); err != nil {
		return err
	}
	defer w.inFlight.Release(1)
	return w.rest.Post().
		Namespace(je.Namespace).Resource("joberrors").
		VersionedParams(&metav1.CreateOptions{FieldManager: attribution.FieldManager}, w.parameters).
		Body(je).Do(ctx).Error()
}

// Patch writes what leads from one state of a JobError to another, or of its
// status. It holds only against the version that was read.
func (w *writer) Patch(ctx context.Context, before, after *joberrorv1.JobError, subresource ...string) error {
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
		Namespace(before.Namespace).Resource("joberrors").Name(before.Name).SubResource(subresource...).
		VersionedParams(&metav1.PatchOptions{FieldManager: attribution.FieldManager}, w.parameters).
		Body(body).Do(ctx).Error()
}

// writeStatus writes the status of a JobError where it differs from what it was.
func (e *environment) writeStatus(ctx context.Context, je *joberrorv1.JobError, before *joberrorv1.JobErrorStatus) error {
	if equality.Semantic.DeepEqual(before, &je.Status) {
		return nil
	}
	// A patch is found by comparing two objects; what is alike in them is left
	// out beforehand.
	identity := metav1.ObjectMeta{Namespace: je.Namespace, Name: je.Name, ResourceVersion: je.ResourceVersion}
	was := &joberrorv1.JobError{ObjectMeta: identity, Status: *before}
	is := &joberrorv1.JobError{ObjectMeta: identity, Status: je.Status}
	return stale(e.writer.Patch(ctx, was, is, "status"))
}
