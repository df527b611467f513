// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/owner"
)

// Fields that the cache is indexed by.
const (
	// indexUID finds a Job by UID.
	indexUID = "metadata.uid"
	// indexCronJob finds the runs of a CronJob by the CronJob's name.
	indexCronJob = "cronjob"
	// indexCaptured finds the captured JobErrors of the runs of a CronJob.
	indexCaptured = "captured"
	// indexJob finds JobErrors by _jobId.
	indexJob = "job"
	// indexAlias finds JobErrors by the names and UIDs of their linked Job that differ
	// from their _jobId.
	indexAlias = "alias"
)

// SetupIndexes adds the indexes that this package uses to the manager's cache. It must be
// called before the cache starts.
func SetupIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &batchv1.Job{}, indexUID, func(obj client.Object) []string {
		return []string{string(obj.GetUID())}
	})
	if err != nil {
		return err
	}
	err = indexer.IndexField(ctx, &batchv1.Job{}, indexCronJob, func(obj client.Object) []string {
		return nonEmpty(owner.CronJob(obj.(*batchv1.Job)))
	})
	if err != nil {
		return err
	}
	err = indexer.IndexField(ctx, &joberrorv1.JobError{}, indexCaptured, func(obj client.Object) []string {
		return nonEmpty(obj.GetLabels()[joberrorv1.LabelCronJobName])
	})
	if err != nil {
		return err
	}
	err = indexer.IndexField(ctx, &joberrorv1.JobError{}, indexJob, func(obj client.Object) []string {
		return []string{obj.(*joberrorv1.JobError).Spec.JobID}
	})
	if err != nil {
		return err
	}
	return indexer.IndexField(ctx, &joberrorv1.JobError{}, indexAlias, func(obj client.Object) []string {
		return aliases(obj.(*joberrorv1.JobError))
	})
}

// nonEmpty returns the value as the only index key, or no key if the value is empty.
func nonEmpty(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// aliases returns the name and the UID of the Job that a JobError is linked to, except the
// one in its _jobId.
func aliases(je *joberrorv1.JobError) []string {
	job := je.Status.Job
	switch {
	case job == nil:
		return nil
	case je.Spec.JobID == job.Name:
		return []string{string(job.UID)}
	case je.Spec.JobID == string(job.UID):
		return []string{job.Name}
	default:
		return []string{job.Name, string(job.UID)}
	}
}
