// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"fmt"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/owner"
	"joberror.io/operator/internal/retry"
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

// completion holds what decides whether a Job ends an error. The zero value ends none. A whole
// Job would take much more memory.
type completion struct {
	// job holds the Job's name.
	job       string
	createdAt metav1.Time
	// at holds the time when the Job completed, or zero before that.
	at time.Time
	// optedOut means that the Job turned automatic resolution off.
	optedOut bool
}

func completionOf(job *batchv1.Job) completion {
	return completion{
		job: job.Name, createdAt: job.CreationTimestamp, at: completionTime(job),
		optedOut: capturepolicy.OptedOut(joberrorv1.AnnotationAutoResolve, job),
	}
}

// completionTime returns when a Job completed; the zero time if it did not.
func completionTime(job *batchv1.Job) time.Time {
	for _, c := range job.Status.Conditions {
		if c.Type == batchv1.JobComplete && c.Status == corev1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

// add remembers a Job that completed.
func (c *completedJobs) add(job *batchv1.Job) {
	completed := completionOf(job)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jobs.Add(job.UID, completed)
	cronJob := owner.CronJob(job)
	if cronJob == "" || retry.RequestOf(job) != "" {
		return
	}
	if last := c.lastRun(job.Namespace, cronJob); !completed.createdAt.Before(&last.createdAt) {
		c.lastRuns.Add(types.NamespacedName{Namespace: job.Namespace, Name: cronJob}, completed)
	}
}

// byUID returns the completion of the Job with this UID; zero if it is not known.
func (c *completedJobs) byUID(uid types.UID) completion { return lookUp(c.jobs, uid) }

// lastRun returns the completion of the latest run of a CronJob; zero if none is known.
func (c *completedJobs) lastRun(namespace, cronJob string) completion {
	return lookUp(c.lastRuns, types.NamespacedName{Namespace: namespace, Name: cronJob})
}

func lookUp(completions *lru.Cache, key any) completion {
	value, _ := completions.Get(key)
	found, _ := value.(completion)
	return found
}
