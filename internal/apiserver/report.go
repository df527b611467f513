// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"net/http"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/panics"
)

// maxStoring limits the reported records that are stored at the same time, across all
// requests.
const maxStoring = 16

// storeResults holds the result for each row of a request. If a row was not stored, errs
// holds the error.
type storeResults struct {
	array bool
	rows  []resolvev1.ReportedRecord
	errs  []error
}

// serveReport serves POST jobs/{id}/joberrors: 201 and the stored records.
func (e *jobEndpoint) serveReport(w http.ResponseWriter, r *http.Request) {
	results, err := e.storeReport(w, r)
	if err == nil && !results.array {
		err = results.errs[0]
	}
	switch {
	case err != nil:
		e.responder.Error(err)
	case results.array:
		writeArray(r.Context(), w, arrayStatusCode(results.rows), len(results.rows), func(i int) any { return results.rows[i] })
	default:
		writeJSON(r.Context(), w, http.StatusCreated, results.rows[0].Record)
	}
}

// arrayStatusCode returns the status code for an array of records: 201 if all are stored,
// otherwise the highest code of the others. The client can then send the whole array again.
func arrayStatusCode(rows []resolvev1.ReportedRecord) int {
	code := http.StatusCreated
	for _, r := range rows {
		if r.Error != nil {
			code = max(code, int(r.Error.Code))
		}
	}
	return code
}

// storeReport stores the records of a request.
func (e *jobEndpoint) storeReport(w http.ResponseWriter, r *http.Request) (*storeResults, error) {
	body, err := readReport(w, r)
	if err != nil {
		return nil, err
	}
	ref, err := e.lookup(r.Context())
	if err != nil {
		return nil, err
	}
	dryRun, err := isDryRun(r.Context())
	if err != nil {
		return nil, err
	}
	reports, err := e.reportedRecords(r.Context(), ref, body)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), e.timeout)
	defer cancel()
	results := &storeResults{
		array: body.array,
		rows:  make([]resolvev1.ReportedRecord, len(body.records)),
		errs:  make([]error, len(body.records)),
	}
	var group errgroup.Group
	group.SetLimit(maxStoring)
	for _, reported := range reports {
		group.Go(func() error {
			return panics.Recover(ctx, func() error {
				stored, err := e.store(ctx, ref, reported, dryRun)
				for _, i := range reported.rows {
					results.errs[i], results.rows[i] = err, resolvev1.ReportedRecord{Record: stored}
					if err != nil {
						results.rows[i] = resolvev1.ReportedRecord{Record: body.records[i], Error: recordError(err)}
					}
				}
				return nil
			})
		})
	}
	return results, group.Wait()
}

func recordError(err error) *resolvev1.RecordError {
	result := &resolvev1.RecordError{Code: http.StatusInternalServerError, Message: err.Error()}
	var status apierrors.APIStatus
	if errors.As(err, &status) {
		result.Code, result.Message = status.Status().Code, status.Status().Message
	}
	return result
}
