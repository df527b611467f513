// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package retryplan reads what a retry depends on, and plans it. The endpoints use it to
// answer at once, and the controller uses it to carry the request out.
package retryplan

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/retry"
)

// Planner plans retries.
type Planner struct {
	// Client reads from the manager's cache, which must have the indexes of this package and
	// of package jobref, and writes to the API server.
	Client client.Client
	// APIReader reads from the API server. The cache has neither the templates of Jobs nor,
	// at once, the latest retry.
	APIReader client.Reader
	// MaxRetries limits the retries of one Job; 0 is unlimited.
	MaxRetries int32
}

// Planned is a retry that is not refused.
type Planned struct {
	retry.Plan
	// Failed is the Job to run again; nil if it is gone.
	Failed *batchv1.Job
	// Existing is the Job that the retry has already created; nil if it has none.
	Existing *batchv1.Job
	// Root is the Job that ran first, and From says where the template came from.
	Root joberrorv1.RetryJob
	From joberrorv1.RetryTemplateFrom
	// CompletedIndexes are the indexes that do not run again, in the notation of the Job's
	// status.
	CompletedIndexes string
}

// Plan plans a retry, or says why it is refused.
func (p *Planner) Plan(ctx context.Context, jet *joberrorv1.JobErrorRetry) (*Planned, *retry.Refusal, error) {
	s, err := p.find(ctx, jet.Namespace, jet.Spec.JobID)
	if err != nil {
		return nil, nil, err
	}
	if s == nil {
		return nil, &retry.Refusal{Code: http.StatusNotFound, Message: fmt.Sprintf(
			"namespace %s has no Job %q, and no JobError says that it had one", jet.Namespace, jet.Spec.JobID)}, nil
	}
	facts, err := p.facts(ctx, jet, s)
	if err != nil {
		return nil, nil, err
	}
	withRoot, err := p.withRoot(ctx, jet.Namespace, s, facts.Lineage)
	if err != nil {
		return nil, nil, err
	}
	planned := &Planned{Failed: s.job, Existing: jobOf(jet, facts.Lineage), Root: joberrorv1.RetryJob{Name: s.rootName, UID: s.lineage.Root}}
	if facts.Template, planned.From, err = p.template(ctx, jet, s, facts.CronJob); err != nil {
		return nil, nil, err
	}
	if planned.Existing == nil {
		if refusal := retry.Refuse(facts); refusal != nil {
			return nil, refusal, nil
		}
		planned.Plan = retry.Plan{
			Template: *facts.Template, Namespace: jet.Namespace, Lineage: s.lineage, Attempt: facts.Attempts + 1,
			Request: jet.UID, CronJob: facts.CronJob, Set: jet.Spec.Set,
		}
	}
	if jet.Spec.Indexes != joberrorv1.RetryAll {
		planned.CompletedIndexes = retry.CompletedIndexes(withRoot, planned.spec())
	}
	return planned, nil, nil
}

// spec returns the spec of the planned Job.
func (p *Planned) spec() batchv1.JobSpec {
	if p.Existing != nil {
		return p.Existing.Spec
	}
	return p.Template.Spec
}

// template returns the template to run and where it comes from; nil if none is left. The
// default is the CronJob's, because people retry after a fix.
func (p *Planner) template(ctx context.Context, jet *joberrorv1.JobErrorRetry, s *subject, cronJob *batchv1.CronJob) (*batchv1.JobTemplateSpec, joberrorv1.RetryTemplateFrom, error) {
	switch {
	case cronJob != nil && jet.Spec.Template != joberrorv1.RetryOriginal:
		current := retry.CurrentTemplate(cronJob, s.scheduled())
		return &current, joberrorv1.TemplateFromCronJob, nil
	case s.job != nil:
		original := retry.OriginalTemplate(s.job)
		return &original, joberrorv1.TemplateFromJob, nil
	case s.revision != "":
		kept, err := p.revision(ctx, jet.Namespace, s.revision)
		return kept, joberrorv1.TemplateFromRevision, err
	default:
		return nil, "", nil
	}
}

// revision reads a template that was kept; nil if it is gone.
func (p *Planner) revision(ctx context.Context, namespace, name string) (*batchv1.JobTemplateSpec, error) {
	revision := &appsv1.ControllerRevision{}
	err := p.APIReader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, revision)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read ControllerRevision %s: %w", name, err)
	default:
		return retry.TemplateIn(revision)
	}
}

// jobOf returns the Job that was created for a retry; nil if there is none.
func jobOf(jet *joberrorv1.JobErrorRetry, jobs []*batchv1.Job) *batchv1.Job {
	i := slices.IndexFunc(jobs, func(job *batchv1.Job) bool { return jet.UID != "" && retry.RequestOf(job) == jet.UID })
	if i < 0 {
		return nil
	}
	return jobs[i]
}

// facts reads what the decision depends on, except for the template.
func (p *Planner) facts(ctx context.Context, jet *joberrorv1.JobErrorRetry, s *subject) (retry.Facts, error) {
	facts := retry.Facts{Spec: &jet.Spec, Failed: s.job, MaxAttempts: p.MaxRetries, Requested: jet.CreationTimestamp.Time}
	requests, err := retriesOf(ctx, p.Client, jet.Namespace, s.lineage.Root)
	if err != nil {
		return facts, fmt.Errorf("list the retries of Job %s: %w", s.rootName, err)
	}
	for i := range requests {
		facts.Attempts = max(facts.Attempts, requests[i].Status.Attempt)
		s.rootName = requests[i].Status.Root.Name
	}
	var jobs batchv1.JobList
	err = p.APIReader.List(ctx, &jobs, client.InNamespace(jet.Namespace), client.MatchingLabels{joberrorv1.LabelLineage: string(s.lineage.Root)})
	if err != nil {
		return facts, fmt.Errorf("list the retries of Job %s: %w", s.rootName, err)
	}
	for i := range jobs.Items {
		facts.Attempts = max(facts.Attempts, retry.Attempt(&jobs.Items[i]))
	}
	facts.Ended = endedRetries(jobs.Items, requests)
	if facts.Lineage, err = p.withoutAbandoned(ctx, jobs.Items); err != nil {
		return facts, err
	}
	if facts.CronJob, err = p.cronJob(ctx, jet.Namespace, s.cronJob); err != nil || facts.CronJob == nil {
		return facts, err
	}
	facts.Runs, err = p.runs(ctx, facts.CronJob)
	return facts, err
}

// endedRetries returns the retries of a lineage that have ended, from their Jobs, and from the
// requests whose Jobs are gone.
func endedRetries(jobs []batchv1.Job, requests []joberrorv1.JobErrorRetry) []retry.EndedRetry {
	var past []retry.EndedRetry
	exists := map[types.UID]bool{}
	for i := range jobs {
		exists[jobs[i].UID] = true
		if ending := retry.EndingOf(&jobs[i]); ending.Ended {
			past = append(past, retry.EndedRetry{Job: jobs[i].Name, At: ending.At})
		}
	}
	for i := range requests {
		status := &requests[i].Status
		if status.Job != nil && status.CompletedAt != nil && !exists[status.Job.UID] {
			past = append(past, retry.EndedRetry{Job: status.Job.Name, At: status.CompletedAt.Time})
		}
	}
	return past
}

// runs returns the Jobs of a CronJob: those in the cache, and those that only the CronJob knows
// yet.
func (p *Planner) runs(ctx context.Context, cronJob *batchv1.CronJob) ([]*batchv1.Job, error) {
	cached, err := jobref.Runs(ctx, p.Client, cronJob.Namespace, cronJob.Name)
	if err != nil {
		return nil, fmt.Errorf("list the runs of CronJob %s: %w", cronJob.Name, err)
	}
	runs, err := p.withoutAbandoned(ctx, cached)
	for _, active := range cronJob.Status.Active {
		if !slices.ContainsFunc(cached, func(job batchv1.Job) bool { return job.UID == active.UID }) {
			runs = append(runs, &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: active.Name, UID: active.UID}})
		}
	}
	return runs, err
}

// withoutAbandoned leaves out the Jobs that wait for a retry that is gone or complete: they never
// run.
func (p *Planner) withoutAbandoned(ctx context.Context, jobs []batchv1.Job) ([]*batchv1.Job, error) {
	var kept []*batchv1.Job
	for i := range jobs {
		job := &jobs[i]
		if retry.IsHeld(job) {
			request, err := RequestOf(ctx, p.Client, job)
			if err != nil {
				return nil, fmt.Errorf("look up the retry of Job %s: %w", job.Name, err)
			}
			if request == nil || retry.IsComplete(request) {
				continue
			}
		}
		kept = append(kept, job)
	}
	return kept, nil
}

// withRoot returns the Jobs of a lineage, with the one that ran first and the one that the
// request names. Both may be gone.
func (p *Planner) withRoot(ctx context.Context, namespace string, s *subject, lineage []*batchv1.Job) ([]*batchv1.Job, error) {
	jobs := slices.Clone(lineage)
	if s.job != nil {
		jobs = append(jobs, s.job)
	}
	if s.job != nil && s.job.UID == s.lineage.Root {
		return jobs, nil
	}
	root := &batchv1.Job{}
	err := p.APIReader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: s.rootName}, root)
	switch {
	case apierrors.IsNotFound(err), err == nil && root.UID != s.lineage.Root:
		return jobs, nil
	case err != nil:
		return nil, fmt.Errorf("read Job %s: %w", s.rootName, err)
	default:
		return append(jobs, root), nil
	}
}

// cronJob reads a CronJob; nil if it does not exist.
func (p *Planner) cronJob(ctx context.Context, namespace, name string) (*batchv1.CronJob, error) {
	if name == "" {
		return nil, nil
	}
	cronJob := &batchv1.CronJob{}
	err := p.APIReader.Get(ctx, types.NamespacedName{Namespace: namespace, Name: name}, cronJob)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read CronJob %s: %w", name, err)
	default:
		return cronJob, nil
	}
}
