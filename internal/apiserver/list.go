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
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/klog/v2"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	"joberror.io/operator/internal/jobref"
)

const (
	// maxPage is how many records one answer holds.
	maxPage = 1000
	// continueHeader carries the value of ?continue for the next page; the
	// body, a bare array, has no room for it.
	continueHeader = "Joberror-Continue"
)

// list serves GET jobs/{id}/joberrors: 200 and a bare array of records.
func (b *backend) list(namespace, id string, responder rest.Responder) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		opts, err := listOptions(r)
		if err != nil {
			responder.Error(err)
			return
		}
		ref, err := b.job(r.Context(), namespace, id)
		if err != nil {
			responder.Error(err)
			return
		}
		found, next, err := ref.List(r.Context(), b.live, opts)
		if err != nil {
			responder.Error(err)
			return
		}
		records := make([]resolvev1.Record, len(found))
		for i := range found {
			records[i] = recordOf(&found[i])
		}
		if next != "" {
			w.Header().Set(continueHeader, next)
		}
		writeJSON(r.Context(), w, http.StatusOK, records)
	}
}

// writeJSON answers with what is no object of an API group.
func writeJSON(ctx context.Context, w http.ResponseWriter, code int, value any) {
	w.Header().Set("Content-Type", runtime.ContentTypeJSON)
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(value); err != nil {
		klog.FromContext(ctx).V(2).Info("The caller is gone", "err", err)
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
