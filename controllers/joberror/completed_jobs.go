// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"fmt"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/owner"
)

// maxCompletedJobs limits how many completed Jobs are remembered.
const maxCompletedJobs = 4_000

// completedJobs remembers Jobs that completed, as the watch showed them. A Job with a
// time to live of zero, or a CronJob's with a history limit of zero, is gone before its
// errors are reconciled.
type completedJobs struct {
	jobs *lru.Cache
	// mu guards the comparison with the latest run before it is replaced.
	mu sync.Mutex
	// lastRuns holds the latest completed run of each CronJob.
	lastRuns *lru.Cache
}

func newCompletedJobs() *completedJobs {
	return &completedJobs{jobs: lru.New(maxCompletedJobs), lastRuns: lru.New(maxCompletedJobs)}
}

// watch remembers the Jobs that complete from now on. It runs on every replica: a new
// leader must know the Jobs that completed and were deleted before it took over.
func (c *completedJobs) watch(ctx context.Context, jobs cache.Informers) error {
	handle := func(obj any) {
		if job, ok := obj.(*batchv1.Job); ok && !completionTime(job).IsZero() {
			c.add(job)
		}
	}
	if _, err := informers.Handle(ctx, jobs, &batchv1.Job{}, toolscache.ResourceEventHandlerFuncs{
		AddFunc: handle, UpdateFunc: func(_, obj any) { handle(obj) }, DeleteFunc: handle,
	}); err != nil {
		return fmt.Errorf("watch Jobs that complete: %w", err)
	}
	return nil
}

// add remembers a Job that completed.
func (c *completedJobs) add(job *batchv1.Job) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jobs.Add(job.UID, job)
	cronJob := owner.CronJob(job)
	if cronJob == "" {
		return
	}
	if last := c.lastRun(job.Namespace, cronJob); last == nil || !job.CreationTimestamp.Before(&last.CreationTimestamp) {
		c.lastRuns.Add(types.NamespacedName{Namespace: job.Namespace, Name: cronJob}, job)
	}
}

// byUID returns the completed Job with this UID; nil if it is not known.
func (c *completedJobs) byUID(uid types.UID) *batchv1.Job {
	job, _ := c.jobs.Get(uid)
	found, _ := job.(*batchv1.Job)
	return found
}

// lastRun returns the latest completed run of a CronJob; nil if none is known.
func (c *completedJobs) lastRun(namespace, cronJob string) *batchv1.Job {
	job, _ := c.lastRuns.Get(types.NamespacedName{Namespace: namespace, Name: cronJob})
	found, _ := job.(*batchv1.Job)
	return found
}
