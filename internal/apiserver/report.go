// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apiserver/pkg/authentication/serviceaccount"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capture"
	"joberror.io/operator/internal/contain"
	"joberror.io/operator/internal/joblink"
	"joberror.io/operator/internal/jobs"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/retention"
)

// reportsInFlight is how many records are created at a time, of all requests.
const reportsInFlight = 16

// report serves POST jobs/{id}/joberrors: 201 and what was created.
func (b *backend) report(namespace, id string, responder rest.Responder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, results, errs, err := b.doReport(w, r, namespace, id)
		if err == nil && !body.array {
			err = errs[0]
		}
		switch {
		case err != nil:
			responder.Error(err)
		case body.array:
			writeJSON(r.Context(), w, worstCode(results), results)
		default:
			writeJSON(r.Context(), w, http.StatusCreated, results[0].Record)
		}
	}
}

// worstCode is 201 where all records are kept, and otherwise the highest code of
// one that is not: who sent them sees that, and may send all of them again.
func worstCode(results []resolvev1.ReportedRecord) int {
	code := http.StatusCreated
	for _, r := range results {
		if r.Error != nil {
			code = max(code, int(r.Error.Code))
		}
	}
	return code
}

func (b *backend) doReport(w http.ResponseWriter, r *http.Request, namespace, id string) (body *reportBody, results []resolvev1.ReportedRecord, errs []error, err error) {
	if body, err = readReport(w, r); err != nil {
		return nil, nil, nil, err
	}
	ref, err := b.job(r.Context(), namespace, id)
	if err != nil {
		return nil, nil, nil, err
	}
	dryRun, err := isDryRun(r.Context())
	if err != nil {
		return nil, nil, nil, err
	}
	reports, err := b.reportsOf(r.Context(), ref, body)
	if err != nil {
		return nil, nil, nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), b.wait)
	defer cancel()
	results, errs = make([]resolvev1.ReportedRecord, len(reports)), make([]error, len(reports))
	var group errgroup.Group
	group.SetLimit(reportsInFlight)
	for i, je := range reports {
		group.Go(func() error {
			return contain.Panic(func() error {
				kept, err := b.keep(ctx, ref, je, body.records[i], dryRun)
				errs[i], results[i] = err, resolvev1.ReportedRecord{Record: kept}
				if err != nil {
					results[i] = resolvev1.ReportedRecord{Record: body.records[i], Error: recordError(err)}
				}
				return nil
			})
		})
	}
	return body, results, errs, group.Wait()
}

// reportsOf are the JobErrors of the records, judged by what a clock and the job
// tell.
func (b *backend) reportsOf(ctx context.Context, ref jobs.Ref, body *reportBody) ([]*joberrorv1.JobError, error) {
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
	reports := make([]*joberrorv1.JobError, len(body.records))
	for i := range body.records {
		r := &body.records[i]
		if r.JobID != "" && r.JobID != ref.ID && r.JobID != job.Name && r.JobID != string(job.UID) {
			problems = append(problems, field.Invalid(body.path(i).Child("_jobId"), shorten([]byte(r.JobID)), "must be the job of the path, "+job.Name+", or be left out"))
		}
		given := joberrorv1.JobError{Spec: joberrorv1.JobErrorSpec{CreatedAt: r.CreatedAt}}
		if problem := b.policy.Problem(&given, retention.OfJob(job), now); problem != "" {
			problems = append(problems, field.Invalid(body.path(i).Child("createdAt"), shorten([]byte(r.CreatedAt)), problem))
		}
		failure := capture.Failure{Key: capture.RecordKey(*r), At: now, Source: podOf(user), Report: r}
		je := failure.JobError(job, user.GetName())
		je.Name = cmp.Or(r.ID, je.Name)
		if r.Resolved {
			attribution.Mark{By: user.GetName(), Generation: 1}.Put(je)
		}
		switch {
		case !known || job.UID == "":
		case ref.Job != nil:
			joblink.Apply(je, job, namespace.UID)
		default:
			joblink.Remember(je, job, namespace.UID)
		}
		reports[i] = je
	}
	if len(problems) > 0 {
		return nil, invalidRequest(problems[:min(len(problems), maxProblems)]...)
	}
	return reports, nil
}

// reportedJob is the Job that records are reported of: the one that there is, or
// as much as the errors of one that is gone tell.
func (b *backend) reportedJob(ctx context.Context, ref jobs.Ref) (*batchv1.Job, error) {
	if ref.Job != nil {
		return ref.Job, nil
	}
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: ref.Namespace, Name: ref.ID}}
	errors, err := jobs.Mentions(ctx, b.client, ref.Namespace, ref.ID)
	var last time.Time
	for i := range errors {
		linked := joblink.Linked(&errors[i])
		if at := retention.CreatedAt(&errors[i]); linked != nil && at.After(last) {
			last, job.Name, job.UID = at, linked.Name, linked.UID
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

// keep creates one record, or finds it where it was reported before.
func (b *backend) keep(ctx context.Context, ref jobs.Ref, je *joberrorv1.JobError, record resolvev1.Record, dryRun bool) (resolvev1.Record, error) {
	spec := je.Spec
	err := b.create(ctx, je, dryRun)
	if apierrors.IsAlreadyExists(err) {
		existing := &joberrorv1.JobError{}
		if err = b.live.Get(ctx, client.ObjectKeyFromObject(je), existing); err == nil {
			je, err = existing, same(ref, existing, spec, record)
		}
	} else if err == nil && !dryRun {
		metrics.Reported(je.Namespace)
	}
	if err != nil {
		return resolvev1.Record{}, sendAgain(err)
	}
	return recordOf(je), nil
}

func (b *backend) create(ctx context.Context, je *joberrorv1.JobError, dryRun bool) error {
	if err := b.reports.Acquire(ctx, 1); err != nil {
		return apierrors.NewTimeoutError("the record was not reached in time; send it again", 1)
	}
	defer b.reports.Release(1)
	opts := []client.CreateOption{client.FieldOwner(attribution.FieldManager)}
	if dryRun {
		opts = append(opts, client.DryRunAll)
	}
	return b.client.Create(ctx, je, opts...)
}

// same tells whether what exists under the name of a record is the record.
func same(ref jobs.Ref, existing *joberrorv1.JobError, spec joberrorv1.JobErrorSpec, record resolvev1.Record) error {
	conflict := func(problem string) error {
		return apierrors.NewConflict(joberrorv1.GroupVersion.WithResource("joberrors").GroupResource(), existing.Name, errors.New(problem))
	}
	if !ref.Owns(existing) {
		return conflict("_id: an error of another job has this name; leave it out, or choose one that no other job uses")
	}
	is, said := recordOf(existing), recordOf(&joberrorv1.JobError{Spec: spec})
	if record.Source == "" {
		// The pod that reports it again may be another one.
		said.Source = is.Source
	}
	if capture.Content(is) != capture.Content(said) {
		return conflict(fmt.Sprintf("_id: the job has an error %s that says something else", existing.Name))
	}
	return nil
}

// sendAgain is the error of a record that was not kept. Whatever the API server
// did not answer may be better the next time.
func sendAgain(err error) error {
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		return err
	}
	return apierrors.NewServiceUnavailable("the record was not kept; send it again: " + err.Error())
}

func recordError(err error) *resolvev1.RecordError {
	reason := &resolvev1.RecordError{Code: http.StatusInternalServerError, Message: err.Error()}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		reason.Code, reason.Message = status.Status().Code, status.Status().Message
	}
	return reason
}
