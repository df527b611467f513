// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joblink"
)

// nameOf returns the name of the JobError that records a failure of a Job: the first of the
// failure's names that is free or already belongs to its record. Anybody who may create
// JobErrors can take a name first.
func (r *Reconciler) nameOf(ctx context.Context, job subject, f failure.Failure) (string, error) {
	first := failure.ErrorName(job.Name, job.UID, f.Key)
	for n := 1; ; n++ {
		name := failure.NumberedName(first, n)
		je := &joberrorv1.JobError{}
		err := r.Cached.Get(ctx, types.NamespacedName{Namespace: job.Namespace, Name: name}, je, client.UnsafeDisableDeepCopy)
		if apierrors.IsNotFound(err) {
			return name, nil
		}
		if err != nil {
			return "", fmt.Errorf("read JobError %s: %w", name, err)
		}
		if is, err := r.isRecordOf(ctx, job, je, f); is || err != nil {
			return name, err
		}
	}
}

// isRecordOf reports whether an existing JobError is the record of a failure.
func (r *Reconciler) isRecordOf(ctx context.Context, job subject, je *joberrorv1.JobError, f failure.Failure) (bool, error) {
	if f.IsRecordOf(je, job.Name, job.UID) {
		return true, nil
	}
	linked := joblink.Linked(je)
	if f.Report == nil || linked == nil || linked.UID != job.UID {
		return false, nil
	}
	// Somebody else reported a record for the same Job. The cache does not have all of it.
	stored := &joberrorv1.JobError{}
	if err := r.APIReader.Get(ctx, client.ObjectKeyFromObject(je), stored); err != nil {
		return false, fmt.Errorf("read JobError %s: %w", je.Name, err)
	}
	return contentOf(stored) == contentOf(f.JobError(job.Job, "")), nil
}

// contentOf returns what a JobError says about a record, without its source: the same record
// may be reported by another pod.
func contentOf(je *joberrorv1.JobError) resolvev1.Record {
	var r resolvev1.Record
	failure.SetText(&r, je.Spec)
	r.Source = ""
	return failure.ContentWithoutTime(&r)
}
