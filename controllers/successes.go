// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"

	"joberror.io/operator/internal/capture"
)

// successes remembers Jobs that completed, as the events of the watch showed
// them. With a time to live or a history of none, a Job is gone before its errors
// are reconciled.
type successes struct {
	byUID *lru.Cache
	// lastOf is the latest run of a CronJob that completed.
	lastOf *lru.Cache
}

func newSuccesses() *successes {
	return &successes{byUID: lru.New(rememberedJobs), lastOf: lru.New(rememberedJobs)}
}

// add remembers a Job that completed. It is called by one event after the other.
func (s *successes) add(job *batchv1.Job) {
	s.byUID.Add(job.UID, job)
	cronJob := capture.CronJob(job)
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
