// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package caches says what the operator holds in memory: of each object what it
// reads, and no more. An object from a cache must therefore never be written
// back whole; patches of what differs are safe.
package caches

import (
	"maps"
	"slices"
	"sync/atomic"
	"unique"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/certs"
	"joberror.io/operator/internal/truncate"
)

// Text of an error that is kept, in bytes: enough for a summary and an Event.
const (
	keptCode    = 128
	keptMessage = 512
)

// Options are the manager's. Of what holds the certificate, and of what trusts
// it, only the operator's own is looked at; of the pods, those of Jobs in the
// namespaces that are captured, which are all where none is named.
func Options(namespace string, captured []string) cache.Options {
	pods := cache.ByObject{Transform: StripPod, Label: ofJobs}
	for _, name := range captured {
		if pods.Namespaces == nil {
			pods.Namespaces = map[string]cache.Config{}
		}
		pods.Namespaces[name] = cache.Config{}
	}
	byObject := map[client.Object]cache.ByObject{
		&corev1.Secret{}:       {Namespaces: map[string]cache.Config{namespace: {}}, Field: named(certs.SecretName)},
		&batchv1.Job{}:         {Transform: stripJob},
		&corev1.Pod{}:          pods,
		&joberrorv1.JobError{}: {Transform: new(stripper).stripJobError},
	}
	for caller, name := range certs.Callers() {
		byObject[caller] = cache.ByObject{Field: named(name)}
	}
	return cache.Options{DefaultTransform: cache.TransformStripManagedFields(), ByObject: byObject}
}

func named(name string) fields.Selector { return fields.OneTermEqualSelector("metadata.name", name) }

// stripper remembers of the last JobError what the next one is likely to have
// too: the errors of a job come one after the other. Objects in a cache are not
// changed, so they may share it.
type stripper struct {
	labels atomic.Pointer[map[string]string]
	owners atomic.Pointer[[]metav1.OwnerReference]
}

// stripJobError leaves what is reconciled and summed up. The values of a record
// can be long, and what the errors of a job have in common is held once.
func (s *stripper) stripJobError(obj any) (any, error) {
	je, ok := obj.(*joberrorv1.JobError)
	if !ok {
		return obj, nil
	}
	je.ManagedFields = nil
	delete(je.Annotations, corev1.LastAppliedConfigAnnotation)
	je.Spec = joberrorv1.JobErrorSpec{
		JobID: je.Spec.JobID, CreatedAt: je.Spec.CreatedAt, Resolved: je.Spec.Resolved,
		Code: truncate.Bytes(je.Spec.Code, keptCode), Message: truncate.Bytes(je.Spec.Message, keptMessage),
	}
	share(&je.Namespace, &je.Spec.JobID, &je.Spec.Code, &je.Spec.Message, &je.Status.ResolvedBy, &je.Status.Resolution)
	je.Annotations = sharedMap(je.Annotations)
	je.Labels = *like(&s.labels, je.Labels, maps.Equal[map[string]string])
	je.OwnerReferences = *like(&s.owners, je.OwnerReferences, slices.Equal[[]metav1.OwnerReference])
	for i := range je.Status.Conditions {
		c := &je.Status.Conditions[i]
		share(&c.Type, &c.Reason, &c.Message)
		c.Status = shared(c.Status)
	}
	if job := je.Status.Job; job != nil {
		share(&job.Name, &job.Retention)
		job.UID = shared(job.UID)
	}
	return obj, nil
}

// shared is the one copy of equal texts.
func shared[T ~string](text T) T { return unique.Make(text).Value() }

// like is the last value where the new one equals it, and else the new one.
func like[T any](last *atomic.Pointer[T], value T, equal func(T, T) bool) *T {
	if known := last.Load(); known != nil && equal(*known, value) {
		return known
	}
	last.Store(&value)
	return &value
}

func share(texts ...*string) {
	for _, text := range texts {
		*text = shared(*text)
	}
}

func sharedMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	copied := make(map[string]string, len(m))
	for key, value := range m {
		copied[shared(key)] = shared(value)
	}
	return copied
}
