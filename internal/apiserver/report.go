// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apiserver/pkg/registry/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capture"
	"joberror.io/operator/internal/contain"
	"joberror.io/operator/internal/jobs"
	"joberror.io/operator/internal/metrics"
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
