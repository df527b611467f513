// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package failingruns counts how many runs of each CronJob failed in a row.
//
// A run is a Job that the CronJob controls, except a retry. It failed if its Job has the condition
// FailureTarget or Failed, or if a captured JobError says so, which outlives the Job. It counts
// until the CronJob's status.lastSuccessfulTime is later than the failure. A successful retry sets
// that time, too. It also stops counting once that JobError is resolved, and does not start again
// when the resolved JobError is deleted before the Job.
// A run that is under way does not count. All of this is in the cluster, so every replica counts
// the same, except that a replica does not know the JobErrors that were deleted before it started.
package failingruns

import (
	"sync"

	batchv1 "k8s.io/api/batch/v1"
	toolscache "k8s.io/client-go/tools/cache"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/owner"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/retry"
	"joberror.io/operator/internal/severity"
	"joberror.io/operator/internal/workload"
)

// Row holds the failed runs in a row of one CronJob.
type Row struct {
	workload.Key
	Runs int
	// Since is when the first of them failed, in seconds since 1970.
	Since int64
	// Level is the highest severity that the runs set.
	Level severity.Level
}

// Tracker follows CronJobs, Jobs and JobErrors as the cache changes.
type Tracker struct {
	mu       sync.Mutex
	cronJobs map[workload.Key]*cronJob
	bound    *workload.Bound
}

// NewTracker returns a Tracker that lists up to limit CronJobs.
func NewTracker(limit int) *Tracker {
	return &Tracker{cronJobs: map[workload.Key]*cronJob{}, bound: workload.NewBound(limit)}
}

// CronJobs returns the handler of CronJobs.
func (t *Tracker) CronJobs() toolscache.ResourceEventHandler { return handlerOf(t.replaceCronJob) }

// Jobs returns the handler of Jobs.
func (t *Tracker) Jobs() toolscache.ResourceEventHandler { return handlerOf(t.replaceJob) }

// JobErrors returns the handler of JobErrors.
func (t *Tracker) JobErrors() toolscache.ResourceEventHandler { return handlerOf(t.replaceError) }

// handlerOf returns a handler that calls replace with the state of an object before and after a
// change; nil if it does not exist.
func handlerOf[T any](replace func(before, after *T)) toolscache.ResourceEventHandler {
	is := func(obj any) *T {
		typed, _ := obj.(*T)
		return typed
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { replace(nil, is(obj)) },
		UpdateFunc: func(before, after any) { replace(is(before), is(after)) },
		DeleteFunc: func(obj any) {
			if last, ok := informers.Deleted[*T](obj); ok {
				replace(last, nil)
			}
		},
	}
}

func (t *Tracker) replaceCronJob(before, after *batchv1.CronJob) {
	if after == nil {
		t.change(cronJobOf(before.Namespace, before.Name), func(c *cronJob) { c.exists = false })
		return
	}
	t.change(cronJobOf(after.Namespace, after.Name), func(c *cronJob) {
		c.exists, c.createdAt, c.succeededAt = true, after.CreationTimestamp.Unix(), 0
		if last := after.Status.LastSuccessfulTime; last != nil {
			c.succeededAt = last.Unix()
		}
	})
}

func (t *Tracker) replaceJob(before, after *batchv1.Job) {
	was, is := failedAt(before), failedAt(after)
	if was > 0 && (is == 0 || before.UID != after.UID) {
		t.changeRun(cronJobOf(before.Namespace, owner.CronJob(before)), string(before.UID), func(r *run) { r.jobFailedAt = 0 })
	}
	if is > 0 {
		t.changeRun(cronJobOf(after.Namespace, owner.CronJob(after)), string(after.UID), func(r *run) {
			r.jobFailedAt, r.jobLevel = is, severity.Allowed(after)
		})
	}
}

// failedAt returns when the run of a CronJob failed, in seconds since 1970; 0 if it did not, or if
// the Job is no run.
func failedAt(job *batchv1.Job) int64 {
	if job == nil || owner.CronJob(job) == "" || retry.RequestOf(job) != "" {
		return 0
	}
	failures := failure.FromJob(job)
	if len(failures) == 0 {
		return 0
	}
	return failures[0].At.Unix()
}

func (t *Tracker) replaceError(before, after *joberrorv1.JobError) {
	wasKey, was := runOf(before)
	isKey, is := runOf(after)
	if was != "" {
		t.changeRun(wasKey, was, func(r *run) {
			r.count(before, -1)
			r.leftResolved = before.Spec.Resolved
		})
	}
	if is != "" {
		t.changeRun(isKey, is, func(r *run) {
			r.count(after, 1)
			r.errorAt, r.errLevel = retention.CreatedAt(after).Unix(), severity.Allowed(after)
		})
	}
}

// count adds n to the errors of a run that are as an error is.
func (r *run) count(je *joberrorv1.JobError, n int) {
	if je.Spec.Resolved {
		r.resolved += n
	} else {
		r.open += n
	}
}

// runOf returns the CronJob and the UID of the run that failed as a whole, as a captured error
// says; empty for any other error.
func runOf(je *joberrorv1.JobError) (workload.Key, string) {
	if je == nil || je.Labels[joberrorv1.LabelCaptured] != joberrorv1.Captured || je.Labels[joberrorv1.LabelLineage] != "" {
		return workload.Key{}, ""
	}
	job := joblink.Linked(je)
	if job == nil || failure.FirstName(je.Name) != failure.ErrorName(job.Name, job.UID, failure.JobKey(je.Spec.Code)) {
		return workload.Key{}, ""
	}
	key := cronJobOf(je.Namespace, je.Labels[joberrorv1.LabelCronJobName])
	if key.Name == "" {
		return workload.Key{}, ""
	}
	return key, string(job.UID)
}

func cronJobOf(namespace, name string) workload.Key {
	return workload.Key{Namespace: namespace, Kind: workload.KindCronJob, Name: name}
}

func (t *Tracker) changeRun(key workload.Key, uid string, change func(*run)) {
	t.change(key, func(c *cronJob) {
		r := c.runs[uid]
		if r == nil {
			r = &run{}
			if c.runs == nil {
				c.runs = map[string]*run{}
			}
			c.runs[uid] = r
		}
		if change(r); r.isGone() {
			delete(c.runs, uid)
		}
	})
}

// change changes a CronJob, and forgets it if nothing is left of it.
func (t *Tracker) change(key workload.Key, change func(*cronJob)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.cronJobs[key]
	if c == nil {
		c = &cronJob{}
		t.cronJobs[key] = c
	}
	change(c)
	c.changed = true
	if !c.exists && len(c.runs) == 0 {
		delete(t.cronJobs, key)
	}
}

// Rows returns the CronJobs whose last runs failed, as many as are listed, and how many are not.
func (t *Tracker) Rows() (rows []Row, unlisted int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var candidates []workload.Candidate
	for key, c := range t.cronJobs {
		if c.changed {
			c.row, c.changed = c.count(), false
			c.row.Key = key
		}
		if c.row.Runs > 0 {
			rows = append(rows, c.row)
			candidates = append(candidates, workload.Candidate{Key: key, Since: c.row.Since})
		}
	}
	unlisted = t.bound.Choose(candidates)
	listed := rows[:0]
	for _, row := range rows {
		if t.bound.Listed(row.Key) {
			listed = append(listed, row)
		}
	}
	return listed, unlisted
}
