// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/klog/v2"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/jobref"
)

const (
	// maxPage limits the records in one answer.
	maxPage = 1000
	// maxAnswerBytes limits the errors in one answer, as the API server sends them. Their
	// records are smaller.
	maxAnswerBytes = 4 << 20
	// continueHeader holds the value of ?continue for the next page. The body is a bare
	// array and can't hold it.
	continueHeader = resolvev1.HeaderContinue
)

// serveList serves GET jobs/{id}/joberrors: 200 and a bare array of records.
func (e *jobEndpoint) serveList(w http.ResponseWriter, r *http.Request) {
	archived, err := isArchived(r.URL.Query())
	if err != nil {
		e.responder.Error(err)
		return
	}
	if archived {
		e.serveArchived(w, r)
		return
	}
	page, next, err := e.list(r)
	if err != nil {
		e.responder.Error(err)
		return
	}
	if next != "" {
		w.Header().Set(continueHeader, next)
	}
	writeArray(r.Context(), w, http.StatusOK, len(page), func(i int) any { return recordOf(&page[i]) })
}

// list returns a page of errors, and the value of ?continue for the next page.
func (e *jobEndpoint) list(r *http.Request) (page []joberrorv1.JobError, next string, err error) {
	opts, err := listOptions(r)
	if err != nil {
		return nil, "", err
	}
	ref, err := e.lookup(r.Context())
	if err != nil {
		return nil, "", err
	}
	return ref.List(r.Context(), e.apiReader, opts)
}

// writeArray sends an array of values that are not objects of an API group. It encodes one
// element at a time, because the whole array in JSON would take as much memory again.
func writeArray(ctx context.Context, w http.ResponseWriter, code, length int, element func(i int) any) {
	w.Header().Set("Content-Type", runtime.ContentTypeJSON)
	w.WriteHeader(code)
	out := bufio.NewWriter(w)
	err := out.WriteByte('[')
	for i := 0; i < length && err == nil; i++ {
		if i > 0 {
			err = out.WriteByte(',')
		}
		data, marshalErr := json.Marshal(element(i))
		if err = errors.Join(err, marshalErr); err == nil {
			_, err = out.Write(data)
		}
	}
	if err == nil {
		_, err = out.WriteString("]\n")
	}
	if err = errors.Join(err, out.Flush()); err != nil {
		klog.FromContext(ctx).V(2).Info("Failed to send the answer", "err", err)
	}
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
	opts := jobref.ListOptions{Limit: maxPage, MaxBytes: maxAnswerBytes, Continue: query.Get("continue")}
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
