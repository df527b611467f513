// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberrorretry

import (
	"context"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/lru"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/retry"
)

// maxEndings limits how many Jobs of retries are remembered.
const maxEndings = 1_000

// endings remembers how the Jobs of retries ended, as the watch showed it. A Job with a time
// to live of zero is gone before its retry is reconciled.
type endings struct {
	jobs *lru.Cache
}

func newEndings() *endings { return &endings{jobs: lru.New(maxEndings)} }

// watch remembers the Jobs that end from now on. It runs on every replica: a new leader must
// know the Jobs that were deleted before it took over.
func (e *endings) watch(ctx context.Context, jobs cache.Informers) error {
	_, err := informers.Handle(ctx, jobs, &batchv1.Job{}, toolscache.ResourceEventHandlerFuncs{
		AddFunc:    e.add,
		UpdateFunc: func(_, obj any) { e.add(obj) },
		DeleteFunc: func(obj any) {
			if job, ok := informers.Deleted[*batchv1.Job](obj); ok {
				e.add(job)
			}
		},
	})
	return err
}

func (e *endings) add(obj any) {
	job, ok := obj.(*batchv1.Job)
	if !ok || retry.RequestOf(job) == "" {
		return
	}
	if ending := retry.EndingOf(job); ending.Ended {
		e.jobs.Add(job.UID, ending)
	}
}

// of returns how the Job with this UID ended; the zero value if that is not known.
func (e *endings) of(uid types.UID) retry.Ending {
	value, _ := e.jobs.Get(uid)
	ending, _ := value.(retry.Ending)
	return ending
}
