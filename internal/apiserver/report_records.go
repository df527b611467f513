// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"cmp"
	"context"
	"slices"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/retention"
)

// report holds the rows of a request that are one record.
type report struct {
	// je is the JobError to create.
	je *joberrorv1.JobError
	// by is the user who reports it.
	by string
	// at is when the request came.
	at time.Time
	// source is the one that the record names; empty if it names none.
	source string
	// rows are the places of the rows in the body.
	rows []int
	// failures are the times that it happened. je is created for the first.
	failures []failure.Failure
}

// reportsOf returns the records of a request, after judging each row by the clock
// and by the job.
func (b *backend) reportsOf(ctx context.Context, ref jobref.Ref, body *reportBody) ([]*report, error) {
	user, ok := request.UserFrom(ctx)
	if !ok {
		return nil, apierrors.NewUnauthorized("the request has no user")
	}
	job, err := b.reportedJob(ctx, ref)
	if err != nil {
		return nil, err
	}
	namespace, err := joblink.Namespace(ctx, b.client, ref.Namespace)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	// Where the cache does not know the namespace yet, the controller links.
	known := err == nil
	now := time.Now()
	var problems field.ErrorList
	for i := range body.records {
		problems = append(problems, b.judgeReport(body.path(i), &body.records[i], ref, job, now)...)
	}
	if len(problems) > 0 {
		return nil, invalidRequest(problems[:min(len(problems), maxProblems)]...)
	}
	reports := reportsIn(body.records, job, user, now)
	for _, r := range reports {
		joblink.RememberRetention(r.je, job)
		switch {
		case !known || job.UID == "":
		case ref.Job != nil:
			joblink.Apply(r.je, job, namespace.UID)
		default:
			joblink.Remember(r.je, job, namespace.UID)
		}
	}
	return reports, nil
}

// judgeReport tells why the job can't have this record now.
func (b *backend) judgeReport(path *field.Path, r *resolvev1.Record, ref jobref.Ref, job *batchv1.Job, now time.Time) field.ErrorList {
	var problems field.ErrorList
	if r.JobID != "" && r.JobID != ref.ID && r.JobID != job.Name && r.JobID != string(job.UID) {
		problems = append(problems, field.Invalid(path.Child("_jobId"), shorten([]byte(r.JobID)), "must be the job of the path, "+job.Name+", or be left out"))
	}
	given := joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{CreatedAt: r.CreatedAt}}
	if problem := b.policy.Problem(&given, retention.Requested(job), now); problem != "" {
		problems = append(problems, field.Invalid(path.Child("createdAt"), shorten([]byte(r.CreatedAt)), problem))
	}
	return problems
}

// reportsIn groups the rows that a user reports by the record that they are.
func reportsIn(records []resolvev1.Record, job *batchv1.Job, user user.Info, now time.Time) []*report {
	by := failure.Reporter{Pod: podOf(user), Request: string(uuid.NewUUID()), At: now}
	groups, rows := by.Group(records)
	reports := make([]*report, len(groups))
	for i, failures := range groups {
		reports[i] = reportOf(failures, job, user, now)
		reports[i].rows = rows[i]
	}
	return reports
}

// reportOf returns the report of one record, with the JobError to create for it.
func reportOf(failures []failure.Failure, job *batchv1.Job, user user.Info, now time.Time) *report {
	first := failures[0]
	je := first.JobError(job, user.GetName())
	je.Name = cmp.Or(first.Report.ID, je.Name)
	je.Spec.Resolved = !slices.ContainsFunc(failures, func(f failure.Failure) bool { return !f.Report.Resolved })
	if je.Spec.Resolved {
		attribution.Mark{By: user.GetName(), Generation: 1}.Put(je)
	}
	// The answer has a createdAt in any case: sent back, it is no other time.
	first.Occurrence = failure.Created(je).Occurrence
	first.Annotate(je)
	return &report{je: je, by: user.GetName(), at: now, source: first.Report.Source, failures: failures}
}

// reportedJob returns the Job that the records belong to. If the Job is gone, its
// name, UID and retention come from its latest error.
func (b *backend) reportedJob(ctx context.Context, ref jobref.Ref) (*batchv1.Job, error) {
	if ref.Job != nil {
		return ref.Job, nil
	}
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: ref.Namespace, Name: ref.ID}}
	errors, err := jobref.Mentions(ctx, b.client, ref.Namespace, ref.ID)
	var last time.Time
	for i := range errors {
		linked := joblink.Linked(&errors[i])
		if at := retention.CreatedAt(&errors[i]); linked != nil && at.After(last) {
			last, job.Name, job.UID = at, linked.Name, linked.UID
			job.Annotations = map[string]string{joberrorv1.AnnotationRetention: linked.Retention}
		}
	}
	return job, err
}

// podOf is the pod that a user reports from, by its token; empty where it is
// not known.
func podOf(user user.Info) string {
	if names := user.GetExtra()[serviceaccount.PodNameKey]; len(names) == 1 {
		return names[0]
	}
	return ""
}
