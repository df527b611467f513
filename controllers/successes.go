// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"joberror.io/operator/internal/failure"
)

// successes remembers Jobs that completed, as the events of the watch showed
// them. With a time to live or a history of none, a Job is gone before its errors
// are reconciled.
type successes struct {
	byUID *lru.Cache
	// mu guards what is compared and then set in lastOf.
	mu sync.Mutex
	// lastOf is the latest run of a CronJob that completed.
	lastOf *lru.Cache
}

// watch remembers the Jobs that complete from now on, on every replica: the one that
// takes the lead must know what completed and was deleted before.
func (s *successes) watch(ctx context.Context, informers cache.Informers) error {
	informer, err := informers.GetInformer(ctx, &batchv1.Job{}, cache.BlockUntilSynced(false))
	if err == nil {
		see := func(obj any) {
			if job, ok := obj.(*batchv1.Job); ok && !completed(job).IsZero() {
				s.add(job)
			}
		}
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
			AddFunc: see, UpdateFunc: func(_, obj any) { see(obj) }, DeleteFunc: see,
		})
	}
	if err != nil {
		return fmt.Errorf("watch Jobs that complete: %w", err)
	}
	return nil
}

func newSuccesses() *successes {
	return &successes{byUID: lru.New(rememberedJobs), lastOf: lru.New(rememberedJobs)}
}

// add remembers a Job that completed.
func (s *successes) add(job *batchv1.Job) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.byUID.Add(job.UID, job)
	cronJob := failure.CronJob(job)
	if cronJob == "" {
		return
	}
	if last := s.last(job.Namespace, cronJob); last == nil || !job.CreationTimestamp.Before(&last.CreationTimestamp) {
		s.lastOf.Add(types.NamespacedName{Namespace: job.Namespace, Name: cronJob}, job)
	}
}

// of is the Job of that UID; nil where it is not known to have completed.
func (s *successes) of(uid types.UID) *batchv1.Job { return found(s.byUID.Get(uid)) }

// last is the latest run of a CronJob that is known to have completed; nil where
// none is.
func (s *successes) last(namespace, cronJob string) *batchv1.Job {
	return found(s.lastOf.Get(types.NamespacedName{Namespace: namespace, Name: cronJob}))
}

func found(job any, ok bool) *batchv1.Job {
	if !ok {
		return nil
	}
	return job.(*batchv1.Job)
}
