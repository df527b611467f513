// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package jobref finds the Job for an id and the JobErrors of a job. An id is the name or
// the UID of a Job, in a request as well as in the _jobId of a JobError. Only this package
// handles both.
package jobref

import (
	"context"
	"fmt"
	"slices"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
)

// LookupJob returns the Job with this UID or name, or nil if none exists. A UID takes
// precedence over an equal name. The reader must have the indexes of SetupIndexes.
func LookupJob(ctx context.Context, cache client.Reader, namespace, id string) (*batchv1.Job, error) {
	job, err := LookupJobByUID(ctx, cache, namespace, types.UID(id))
	if err != nil || job != nil {
		return job, err
	}
	job = &batchv1.Job{}
	err = cache.Get(ctx, types.NamespacedName{Namespace: namespace, Name: id}, job)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return job, err
}

// LookupJobByUID returns the Job with this UID, or nil if none exists.
func LookupJobByUID(ctx context.Context, cache client.Reader, namespace string, uid types.UID) (*batchv1.Job, error) {
	var list batchv1.JobList
	if err := cache.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{indexUID: string(uid)}); err != nil {
		return nil, err
	}
	if len(list.Items) == 0 {
		return nil, nil
	}
	return &list.Items[0], nil
}

// Exists reports whether the API server has the Job with this name and UID, and the Job
// is not being deleted.
func Exists(ctx context.Context, apiReader client.Reader, key types.NamespacedName, uid types.UID) (bool, error) {
	job, err := ReadMetadata(ctx, apiReader, key)
	if err != nil {
		return false, fmt.Errorf("read Job %s: %w", key.Name, err)
	}
	return job != nil && job.UID == uid && job.DeletionTimestamp.IsZero(), nil
}

// ReadMetadata reads the metadata of the Job with this name from the API server; nil if
// there is no such Job.
func ReadMetadata(ctx context.Context, apiReader client.Reader, key types.NamespacedName) (*metav1.PartialObjectMetadata, error) {
	job := &metav1.PartialObjectMetadata{}
	job.SetGroupVersionKind(batchv1.SchemeGroupVersion.WithKind("Job"))
	if err := apiReader.Get(ctx, key, job); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return job, nil
}

// Runs returns the Jobs in the cache that are runs of a CronJob.
func Runs(ctx context.Context, cache client.Reader, namespace, cronJob string) ([]batchv1.Job, error) {
	var list batchv1.JobList
	err := cache.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{indexCronJob: cronJob}, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// JobsIn returns the Jobs of a namespace in the cache.
func JobsIn(ctx context.Context, cache client.Reader, namespace string) ([]batchv1.Job, error) {
	var list batchv1.JobList
	err := cache.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// CronJobErrors returns the JobErrors in the cache that were captured from the runs of a
// CronJob.
func CronJobErrors(ctx context.Context, cache client.Reader, namespace, cronJob string) ([]joberrorv1.JobError, error) {
	return indexed(ctx, cache, namespace, indexCaptured, cronJob)
}

// Mentions returns the JobErrors in the cache whose _jobId is this name or UID, or whose
// linked Job has it.
func Mentions(ctx context.Context, cache client.Reader, namespace, id string) ([]joberrorv1.JobError, error) {
	named, err := indexed(ctx, cache, namespace, indexJob, id)
	if err != nil {
		return nil, err
	}
	aliased, err := indexed(ctx, cache, namespace, indexAlias, id)
	return append(named, aliased...), err
}

// indexed returns the JobErrors in the cache that an index has under an id. A limit applies
// to all errors that share a key with it.
func indexed(ctx context.Context, cache client.Reader, namespace, index, id string, opts ...client.ListOption) ([]joberrorv1.JobError, error) {
	var list joberrorv1.JobErrorList
	opts = append(opts, client.InNamespace(namespace), client.MatchingFields{index: bucket(id)}, client.UnsafeDisableDeepCopy)
	err := cache.List(ctx, &list, opts...)
	return slices.DeleteFunc(list.Items, func(je joberrorv1.JobError) bool { return !slices.Contains(errorIndexes[index](&je), id) }), err
}

// Ref is a job that a request names.
type Ref struct {
	Namespace string
	// ID is the name or the UID in the request. A name means all Jobs that ever had it; a
	// UID means one Job.
	ID string
	// Job is the existing Job with this id, or nil.
	Job *batchv1.Job
	// names holds the values of spec._jobId that errors of the job may have, sorted.
	names []string
}

// Lookup returns the job that a request names with an id.
func Lookup(ctx context.Context, cache client.Reader, namespace, id string) (Ref, error) {
	job, err := LookupJob(ctx, cache, namespace, id)
	if err != nil {
		return Ref{}, err
	}
	aliased, err := indexed(ctx, cache, namespace, indexAlias, id)
	if err != nil {
		return Ref{}, err
	}
	var jobIDs []string
	for i := range aliased {
		jobIDs = append(jobIDs, aliased[i].Spec.JobID)
	}
	return New(namespace, id, job, jobIDs), nil
}

// New returns the job that a request names with an id. job is the existing Job with this id,
// or nil. jobIDs are the other values of spec._jobId that errors with this id have.
func New(namespace, id string, job *batchv1.Job, jobIDs []string) Ref {
	names := append([]string{id}, jobIDs...)
	if job != nil {
		names = append(names, job.Name, string(job.UID))
	}
	slices.Sort(names)
	return Ref{Namespace: namespace, ID: id, Job: job, names: slices.Compact(names)}
}

// Owns reports whether an error belongs to the job.
func (r Ref) Owns(je *joberrorv1.JobError) bool {
	if je.Namespace != r.Namespace {
		return false
	}
	if je.Spec.JobID == r.ID {
		return true
	}
	if linked := joblink.Linked(je); linked != nil {
		return linked.Name == r.ID || string(linked.UID) == r.ID
	}
	return r.Job != nil && (je.Spec.JobID == r.Job.Name || je.Spec.JobID == string(r.Job.UID))
}
