// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package jobref

import (
	"context"
	"hash/crc32"
	"strconv"

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
	for name, values := range errorIndexes {
		err := indexer.IndexField(ctx, &joberrorv1.JobError{}, name, func(obj client.Object) []string {
			var keys []string
			for _, value := range values(obj.(*joberrorv1.JobError)) {
				keys = append(keys, bucket(value))
			}
			return keys
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// errorIndexes holds the values of each JobError under which an index finds it.
var errorIndexes = map[string]func(*joberrorv1.JobError) []string{
	indexCaptured: func(je *joberrorv1.JobError) []string { return nonEmpty(je.Labels[joberrorv1.LabelCronJobName]) },
	indexJob:      func(je *joberrorv1.JobError) []string { return []string{je.Spec.JobID} },
	indexAlias:    aliases,
}

// buckets is the number of keys that an index of JobErrors has. Values share keys, because
// the errors of a CronJob each have a Job of their own: with a key for each value, the
// indexes would take up almost as much memory as the errors.
const buckets = 1024

// bucketKeys holds the keys, so that not each error needs a copy.
var bucketKeys = func() (keys [buckets]string) {
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	return keys
}()

// bucket returns the key of a value.
func bucket(value string) string { return bucketKeys[crc32.ChecksumIEEE([]byte(value))%buckets] }

// nonEmpty returns the value as the only index key, or no key if the value is empty.
func nonEmpty(value string) []string {
	if value == "" {
		return nil
	}
	return []string{value}
}

// IDs returns the ids that find a JobError with Mentions.
func IDs(je *joberrorv1.JobError) []string { return append([]string{je.Spec.JobID}, aliases(je)...) }

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
