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

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/panics"
)

// reportsInFlight is how many records are kept at a time, of all requests.
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
	results, errs = make([]resolvev1.ReportedRecord, len(body.records)), make([]error, len(body.records))
	var group errgroup.Group
	group.SetLimit(reportsInFlight)
	for _, report := range reports {
		group.Go(func() error {
			return panics.Recover(func() error {
				kept, err := b.keep(ctx, ref, report, dryRun)
				for _, i := range report.rows {
					errs[i], results[i] = err, resolvev1.ReportedRecord{Record: kept}
					if err != nil {
						results[i] = resolvev1.ReportedRecord{Record: body.records[i], Error: recordError(err)}
					}
				}
				return nil
			})
		})
	}
	return body, results, errs, group.Wait()
}

// same returns an error unless the JobError with the name of a record is that record.
func same(ref jobref.Ref, existing *joberrorv1.JobError, report *report) error {
	conflict := func(problem string) error {
		return apierrors.NewConflict(joberrorv1.GroupVersion.WithResource("joberrors").GroupResource(), existing.Name, errors.New(problem))
	}
	if !ref.Owns(existing) {
		return conflict("_id: an error of another job has this name; leave it out, or choose one that no other job uses")
	}
	is, said := recordOf(existing), recordOf(report.je)
	if report.source == "" {
		// The pod that reports it again may be another one.
		said.Source = is.Source
	}
	if failure.Content(&is) != failure.Content(&said) {
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
