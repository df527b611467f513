// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package retryplan

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/owner"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/retry"
)

// subject is the Job that a request names.
type subject struct {
	// job is the Job; nil if it is gone. name is its name.
	job  *batchv1.Job
	name string
	// lineage is the Job's lineage, and rootName the name of the Job that ran first, as far
	// as it is known.
	lineage  retry.Lineage
	rootName string
	// cronJob is the name of the CronJob that controls the Job, or empty.
	cronJob string
	// revision is the name of the ControllerRevision with the template of a Job that is gone;
	// empty if there is none.
	revision string
}

// scheduled returns the annotation that says which run of its CronJob the Job is.
func (s *subject) scheduled() map[string]string {
	if s.job != nil {
		return s.job.Annotations
	}
	return retry.ScheduledByName(s.cronJob, s.name)
}

// find returns the Job that a request names by name or UID, or, if it is gone, what its errors
// say about it; nil if neither exists.
func (p *Planner) find(ctx context.Context, namespace, id string) (*subject, error) {
	job, err := p.job(ctx, namespace, id)
	if err != nil {
		return nil, err
	}
	if job != nil {
		lineage := retry.LineageOf(job)
		rootName := job.Name
		if lineage.Root != job.UID {
			rootName = lineage.Base
		}
		return &subject{job: job, name: job.Name, lineage: lineage, rootName: rootName, cronJob: owner.CronJob(job)}, nil
	}
	return p.findByErrors(ctx, namespace, id)
}

// job reads a Job by UID or name; nil if there is none.
func (p *Planner) job(ctx context.Context, namespace, id string) (*batchv1.Job, error) {
	name := id
	known, err := jobref.LookupJobByUID(ctx, p.Client, namespace, types.UID(id))
	if err != nil {
		return nil, fmt.Errorf("look up job %s: %w", id, err)
	}
	if known != nil {
		name = known.Name
	}
	job := &batchv1.Job{}
	err = p.APIReader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, job)
	switch {
	case apierrors.IsNotFound(err), err == nil && known != nil && job.UID != known.UID:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read Job %s: %w", name, err)
	default:
		return job, nil
	}
}

// findByErrors returns what the latest error of a job says about its Job; nil if the job has no linked error.
func (p *Planner) findByErrors(ctx context.Context, namespace, id string) (*subject, error) {
	errs, err := jobref.Mentions(ctx, p.Client, namespace, id)
	if err != nil {
		return nil, fmt.Errorf("list the errors of job %s: %w", id, err)
	}
	var latest *joberrorv1.JobError
	for i := range errs {
		je := &errs[i]
		if joblink.Linked(je) != nil && (latest == nil || retention.CreatedAt(je).After(retention.CreatedAt(latest))) {
			latest = je
		}
	}
	if latest == nil {
		return nil, nil
	}
	linked := joblink.Linked(latest)
	s := &subject{name: linked.Name, rootName: linked.Name, cronJob: latest.Labels[joberrorv1.LabelCronJobName]}
	s.revision = latest.Annotations[joberrorv1.AnnotationTemplate]
	s.lineage = retry.LineageOfGone(linked.Name, linked.UID, types.UID(latest.Labels[joberrorv1.LabelLineage]))
	if s.lineage.Root != linked.UID {
		s.rootName = s.lineage.Base
	}
	return s, nil
}
