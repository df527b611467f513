// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package caches limits what the operator holds in memory: only the fields of an object
// that it reads. An object from a cache must therefore never be written back with an
// update. Patches of changed fields are safe.
package caches

import (
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"unique"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/certs"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/truncate"
)

// Limits of the text of an error, in bytes. They suffice for a summary and an Event.
const (
	maxCode    = 128
	maxMessage = 512
)

// Options returns the cache options of the manager. The cache holds only the Secret with
// the operator's certificate and the objects with its CA, and only the pods of Jobs in the
// captured namespaces. No captured namespaces mean all.
func Options(namespace string, capturedNamespaces []string) cache.Options {
	pods := cache.ByObject{Transform: StripPod, Label: podsOfJobs}
	for _, name := range capturedNamespaces {
		if pods.Namespaces == nil {
			pods.Namespaces = map[string]cache.Config{}
		}
		pods.Namespaces[name] = cache.Config{}
	}
	strip := new(stripper).stripJobError
	byObject := map[client.Object]cache.ByObject{
		&corev1.Secret{}:       {Namespaces: map[string]cache.Config{namespace: {}}, Field: named(certs.SecretName)},
		&batchv1.Job{}:         {Transform: stripJob},
		&batchv1.CronJob{}:     {Transform: stripCronJob},
		&corev1.Pod{}:          pods,
		&corev1.Namespace{}:    {Transform: stripNamespace},
		&joberrorv1.JobError{}: {Transform: strip},

		&joberrorv1.JobErrorResolution{}: {Transform: stripResolution},
		&joberrorv1.JobErrorRetry{}:      {Transform: stripRetry},
	}
	for caller, name := range certs.Callers() {
		byObject[caller] = cache.ByObject{Field: named(name)}
	}
	return cache.Options{DefaultTransform: cache.TransformStripManagedFields(), ByObject: byObject, NewInformer: newInformer(strip)}
}

// named returns a selector for the object with this name.
func named(name string) fields.Selector { return fields.OneTermEqualSelector("metadata.name", name) }

// stripper keeps the labels and owners of the last JobError. The next one often has the
// same, because the errors of a job are stored one after the other. Objects in a cache are
// never changed, so they can share these values.
type stripper struct {
	labels atomic.Pointer[map[string]string]
	owners atomic.Pointer[[]metav1.OwnerReference]
}

// stripJobError drops the fields that neither a reconciler nor a summary reads, because
// the values of a record can be long. Values that errors have in common are stored once.
func (s *stripper) stripJobError(obj any) (any, error) {
	je, ok := obj.(*joberrorv1.JobError)
	if !ok {
		return obj, nil
	}
	je.ManagedFields = nil
	dropForeign(je.Annotations)
	dropForeign(je.Labels)
	je.Spec = joberrorv1.JobErrorSpec{
		JobID: je.Spec.JobID, CreatedAt: je.Spec.CreatedAt, Resolved: je.Spec.Resolved,
		Code: truncate.Bytes(je.Spec.Code, maxCode), Message: truncate.Bytes(je.Spec.Message, maxMessage),
	}
	internAll(&je.Namespace, &je.Spec.JobID, &je.Spec.Code, &je.Spec.Message, &je.Status.ResolvedBy, &je.Status.Resolution)
	if failure.MarkIsCounted(je) {
		// The status says the same.
		delete(je.Annotations, joberrorv1.AnnotationOccurrence)
	}
	je.Annotations = internedMap(je.Annotations)
	je.Labels = *shareLast(&s.labels, internedMap(je.Labels), maps.Equal[map[string]string])
	je.OwnerReferences = *shareLast(&s.owners, je.OwnerReferences, slices.Equal[[]metav1.OwnerReference])
	// The decoder leaves room for more.
	je.Status.Conditions, je.Status.RecentOccurrences = clone(je.Status.Conditions), clone(je.Status.RecentOccurrences)
	for i := range je.Status.Conditions {
		c := &je.Status.Conditions[i]
		internAll(&c.Type, &c.Reason, &c.Message)
		c.Status = interned(c.Status)
	}
	if job := je.Status.Job; job != nil {
		internAll(&job.Name, &job.Retention)
		// A label has the same text.
		job.UID = types.UID(interned(string(job.UID)))
	}
	return obj, nil
}

// ownPrefix is the prefix of the operator's labels and annotations.
var ownPrefix = joberrorv1.GroupVersion.Group + "/"

// restoreLabel is on each object that Velero restores. The operator leaves such an object to
// Velero at first.
const restoreLabel = "velero.io/restore-name"

// dropForeign drops the labels or annotations of other tools that the operator does not read.
func dropForeign(m map[string]string) {
	maps.DeleteFunc(m, func(key, _ string) bool { return !strings.HasPrefix(key, ownPrefix) && key != restoreLabel })
}

// interned returns the only copy of equal texts.
func interned[T ~string](text T) T { return unique.Make(text).Value() }

// shareLast returns the last value if the new one equals it, and otherwise the new one.
func shareLast[T any](last *atomic.Pointer[T], value T, equal func(T, T) bool) *T {
	if previous := last.Load(); previous != nil && equal(*previous, value) {
		return previous
	}
	last.Store(&value)
	return &value
}

// clone returns a copy of a slice without spare capacity; nil for an empty one.
func clone[T any](s []T) []T {
	if len(s) == 0 {
		return nil
	}
	return append(make([]T, 0, len(s)), s...)
}

func internAll(texts ...*string) {
	for _, text := range texts {
		*text = interned(*text)
	}
}

func internedMap(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	copied := make(map[string]string, len(m))
	for key, value := range m {
		copied[interned(key)] = interned(value)
	}
	return copied
}
