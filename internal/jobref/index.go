// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

// Fields that the cache is indexed by.
const (
	// indexUID finds a Job by its UID.
	indexUID = "metadata.uid"
	// indexCronJob finds the Jobs that are runs of a CronJob, by its name.
	indexCronJob = "cronjob"
	// indexCaptured finds the captured JobErrors of the runs of a CronJob.
	indexCaptured = "captured"
	// indexJob finds the JobErrors whose _jobId this is.
	indexJob = "job"
	// indexAlias finds the JobErrors that are linked to a job which their
	// _jobId names otherwise: by its UID, or by an earlier name.
	indexAlias = "alias"
)

// SetupIndexes adds the indexes that the functions of this package read to the
// manager's cache. It must be called before the cache starts.
func SetupIndexes(ctx context.Context, indexer client.FieldIndexer) error {
	err := indexer.IndexField(ctx, &batchv1.Job{}, indexUID, func(obj client.Object) []string {
		return []string{string(obj.GetUID())}
	})
	if err != nil {
		return err
	}
	err = indexer.IndexField(ctx, &batchv1.Job{}, indexCronJob, func(obj client.Object) []string {
		return nonEmpty(failure.CronJob(obj.(*batchv1.Job)))
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

func nonEmpty(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// aliases are the ids of the Job that a JobError is linked to, but for the one
// that its _jobId gives.
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
