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

// reportedRecord holds the rows of a request that report the same record.
type reportedRecord struct {
	// je is the JobError to create.
	je *joberrorv1.JobError
	// by is the user who reports the record.
	by string
	// at is when the request was received.
	at time.Time
	// source is the record's own source; empty if the record has none.
	source string
	// rows are the indexes of the rows in the body.
	rows []int
	// failures holds one failure for each time that the record happened. je is created for
	// the first of them.
	failures []failure.Failure
}

// reportedRecords checks the rows of a request and groups them by record.
func (b *backend) reportedRecords(ctx context.Context, ref jobref.Ref, body *reportBody) ([]*reportedRecord, error) {
	reporter, ok := request.UserFrom(ctx)
	if !ok {
		return nil, apierrors.NewUnauthorized("the request has no user")
	}
	job, err := b.reportedJob(ctx, ref)
	if err != nil {
		return nil, err
	}
	if err := b.checkReportLimit(job); err != nil {
		return nil, err
	}
	namespace, err := joblink.Namespace(ctx, b.client, ref.Namespace)
	if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	// If the cache does not have the namespace yet, the controller links the error.
	namespaceKnown := err == nil
	req := reportRequest{job: job, user: reporter, at: time.Now()}
	var problems field.ErrorList
	for i := range body.records {
		r, path := &body.records[i], body.path(i)
		problems = append(problems, checkJobID(path.Child("_jobId"), r.JobID, ref, job)...)
		problems = append(problems, b.checkCreatedAt(path.Child("createdAt"), r.CreatedAt, job, req.at)...)
	}
	if len(problems) > 0 {
		return nil, invalidRequest(problems...)
	}
	reports := req.group(body.records)
	for _, r := range reports {
		joblink.RememberRetention(r.je, job)
		switch {
		case !namespaceKnown || job.UID == "":
		case ref.Job != nil:
			joblink.Apply(r.je, job, namespace.UID, b.retention)
		default:
			joblink.Remember(r.je, job, namespace.UID)
		}
	}
	return reports, nil
}

// checkJobID checks that the _jobId of a record is empty or means the job in the path.
func checkJobID(path *field.Path, jobID string, ref jobref.Ref, job *batchv1.Job) field.ErrorList {
	switch jobID {
	case "", ref.ID, job.Name, string(job.UID):
		return nil
	}
	return field.ErrorList{field.Invalid(path, shorten([]byte(jobID)), "must be the job in the path, "+job.Name+", or must not be set")}
}

// checkCreatedAt checks that a record may have this createdAt now.
func (b *backend) checkCreatedAt(path *field.Path, createdAt string, job *batchv1.Job, now time.Time) field.ErrorList {
	je := joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{CreatedAt: createdAt}}
	if problem := b.retention.Problem(&je, retention.Requested(job), now); problem != "" {
		return field.ErrorList{field.Invalid(path, shorten([]byte(createdAt)), problem)}
	}
	return nil
}

// reportRequest holds the job, the user and the time of a request that reports records.
type reportRequest struct {
	job  *batchv1.Job
	user user.Info
	// at is when the request was received.
	at time.Time
}

// group groups rows by record.
func (r reportRequest) group(rows []resolvev1.Record) []*reportedRecord {
	reporter := failure.Reporter{Pod: podOf(r.user), Request: string(uuid.NewUUID()), At: r.at}
	groups, indexes := reporter.Group(rows)
	reports := make([]*reportedRecord, len(groups))
	for i, failures := range groups {
		reports[i] = r.record(failures)
		reports[i].rows = indexes[i]
	}
	return reports
}

// record returns the reported record of these failures, with the JobError to create.
func (r reportRequest) record(failures []failure.Failure) *reportedRecord {
	created := failures[0]
	je := created.JobError(r.job, r.user.GetName())
	je.Name = cmp.Or(created.Report.ID, je.Name)
	je.Spec.Resolved = !slices.ContainsFunc(failures, func(f failure.Failure) bool { return !f.Report.Resolved })
	if je.Spec.Resolved {
		attribution.Mark{By: r.user.GetName(), Generation: 1}.Put(je)
	}
	// The answer always has a createdAt. A client that sends the answer back reports the
	// same occurrence.
	created.Occurrence = failure.Created(je).Occurrence
	created.Annotate(je)
	return &reportedRecord{je: je, by: r.user.GetName(), at: r.at, source: created.Report.Source, failures: failures}
}

// reportedJob returns the Job that the records belong to. If the Job is gone, its
// name, UID and retention come from its latest error.
func (b *backend) reportedJob(ctx context.Context, ref jobref.Ref) (*batchv1.Job, error) {
	if ref.Job != nil {
		return ref.Job, nil
	}
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: ref.Namespace, Name: ref.ID}}
	linked, err := b.linkedError(ctx, ref)
	if linked == nil || err != nil {
		return job, err
	}
	link := joblink.Linked(linked)
	job.Name, job.UID = link.Name, link.UID
	job.Annotations = map[string]string{joberrorv1.AnnotationRetention: link.Retention}
	return job, nil
}

// linkedError returns an error of a job that says to which Job it belongs: the latest in the
// cache or, if the cache has none yet, one from the API server. It returns nil if there is none.
func (b *backend) linkedError(ctx context.Context, ref jobref.Ref) (*joberrorv1.JobError, error) {
	found, err := b.summaries.find(ctx, ref.Namespace, ref.ID)
	if err != nil {
		return nil, err
	}
	if found != nil && found.linked != nil {
		return found.linked, nil
	}
	errs, _, err := ref.List(ctx, b.apiReader, jobref.ListOptions{Limit: 1})
	if err != nil || len(errs) == 0 || joblink.Linked(&errs[0]) == nil {
		return nil, err
	}
	return &errs[0], nil
}

// podOf returns the pod that the user's token is bound to, or "" if it is not bound to one.
func podOf(reporter user.Info) string {
	if names := reporter.GetExtra()[serviceaccount.PodNameKey]; len(names) == 1 {
		return names[0]
	}
	return ""
}
