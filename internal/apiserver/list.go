// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/klog/v2"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/jobref"
)

const (
	// maxPage limits the records in one answer.
	maxPage = 1000
	// continueHeader holds the value of ?continue for the next page. The body is a bare
	// array and can't hold it.
	continueHeader = "Joberror-Continue"
)

// serveList serves GET jobs/{id}/joberrors: 200 and a bare array of records.
func (e *jobEndpoint) serveList(w http.ResponseWriter, r *http.Request) {
	records, next, err := e.list(r)
	if err != nil {
		e.responder.Error(err)
		return
	}
	if next != "" {
		w.Header().Set(continueHeader, next)
	}
	writeJSON(r.Context(), w, http.StatusOK, records)
}

// list returns a page of records, and the value of ?continue for the next page.
func (e *jobEndpoint) list(r *http.Request) (records []resolvev1.Record, next string, err error) {
	opts, err := listOptions(r)
	if err != nil {
		return nil, "", err
	}
	ref, err := e.lookup(r.Context())
	if err != nil {
		return nil, "", err
	}
	page, next, err := ref.List(r.Context(), e.apiReader, opts)
	records = make([]resolvev1.Record, len(page))
	for i := range page {
		records[i] = recordOf(&page[i])
	}
	return records, next, err
}

// writeJSON sends a value that is not an object of an API group.
func writeJSON(ctx context.Context, w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", runtime.ContentTypeJSON)
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		klog.FromContext(ctx).V(2).Info("Failed to send the answer", "err", err)
	}
}

// listOptions reads ?limit, ?continue and ?resolved.
func listOptions(r *http.Request) (jobref.ListOptions, error) {
	query := r.URL.Query()
	opts := jobref.ListOptions{Limit: maxPage, Continue: query.Get("continue")}
	var problems field.ErrorList
	if value := query.Get("limit"); value != "" {
		limit, err := strconv.Atoi(value)
		if err != nil || limit < 1 || limit > maxPage {
			problems = append(problems, field.Invalid(field.NewPath("limit"), value, "must be a number from 1 to "+strconv.Itoa(maxPage)))
		}
		opts.Limit = limit
	}
	switch value := query.Get("resolved"); value {
	case "":
	case "true", "false":
		resolved := value == "true"
		opts.Resolved = &resolved
	default:
		problems = append(problems, field.NotSupported(field.NewPath("resolved"), value, []string{"true", "false"}))
	}
	if len(problems) > 0 {
		return opts, invalidRequest(problems...)
	}
	return opts, nil
}
