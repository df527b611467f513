// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilnet "k8s.io/apimachinery/pkg/util/net"

	resolvev1 "joberror.io/operator/api/resolve/v1"
)

// maxAnswer limits the bytes of an answer of the archive. The operator sends less.
const maxAnswer = 64 << 20

// ErrNoArchive is the error of an operator without an archive.
var ErrNoArchive = errors.New("this cluster has no archive: the operator runs without --archive-url")

// ErrNoHistory is the error of an operator that answers with live errors, because it does not
// know about archives.
var ErrNoHistory = errors.New("the operator does not know archives: it is older than this plugin")

// HistoryQuery selects archived errors of a job.
type HistoryQuery struct {
	Job
	// Since and Until limit the time of the errors. They are zero if there is no limit.
	Since, Until time.Time
}

// HistoryPage is a part of the archived errors of a job.
type HistoryPage struct {
	Records []resolvev1.ArchivedRecord
	// Next asks for the next page. It is empty after the last one.
	Next string
	// Through is the day, in UTC, that the search has reached.
	Through string
	// Skipped counts the objects of the archive that were skipped.
	Skipped int
	// Warnings holds what the operator says about them.
	Warnings []string
}

// History returns a page of the archived errors of a job. next is empty for the first page.
func (c *Client) History(ctx context.Context, query HistoryQuery, next string) (HistoryPage, error) {
	request := c.endpoints.Get().AbsPath(query.path("joberrors")...).Param("archived", "true")
	for name, at := range map[string]time.Time{"since": query.Since, "until": query.Until} {
		if !at.IsZero() {
			request.Param(name, at.UTC().Format(time.RFC3339))
		}
	}
	if next != "" {
		request.Param("continue", next)
	}
	// The client for endpoints drops the headers of an answer.
	get, err := http.NewRequestWithContext(ctx, http.MethodGet, request.URL().String(), http.NoBody)
	if err != nil {
		return HistoryPage{}, fmt.Errorf("ask for archived errors: %w", err)
	}
	get.Header.Set("Accept", runtime.ContentTypeJSON)
	answer, err := c.http.Do(get)
	if err != nil {
		return HistoryPage{}, fmt.Errorf("ask for archived errors: %w", err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return HistoryPage{}, fmt.Errorf("read archived errors: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return HistoryPage{}, errorOf(answer, data)
	}
	return pageOf(answer.Header, data)
}

func pageOf(header http.Header, data []byte) (HistoryPage, error) {
	page := HistoryPage{Next: header.Get(resolvev1.HeaderContinue), Through: header.Get(resolvev1.HeaderArchiveThrough)}
	skipped := header.Get(resolvev1.HeaderArchiveSkipped)
	if skipped == "" {
		return HistoryPage{}, ErrNoHistory
	}
	var err error
	if page.Skipped, err = strconv.Atoi(skipped); err != nil {
		return HistoryPage{}, fmt.Errorf("decode archived errors: the header %s: %w", resolvev1.HeaderArchiveSkipped, err)
	}
	if err := json.Unmarshal(data, &page.Records); err != nil {
		return HistoryPage{}, fmt.Errorf("decode archived errors: %w", err)
	}
	// A warning that is malformed is not worth an error.
	warnings, _ := utilnet.ParseWarningHeaders(header[http.CanonicalHeaderKey("Warning")])
	for _, warning := range warnings {
		page.Warnings = append(page.Warnings, warning.Text)
	}
	return page, nil
}

// errorOf returns the error of an answer that is not a success.
func errorOf(answer *http.Response, data []byte) error {
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	var status metav1.Status
	if err := json.Unmarshal(data, &status); err != nil || status.Kind != "Status" {
		resource := resolvev1.GroupVersion.WithResource("jobs").GroupResource()
		return apierrors.NewGenericServerResponse(answer.StatusCode, "get", resource, "", string(data), seconds, true)
	}
	if status.Details == nil {
		status.Details = &metav1.StatusDetails{}
	}
	for _, cause := range status.Details.Causes {
		if cause.Type == resolvev1.CauseNoArchive {
			return ErrNoArchive
		}
	}
	if seconds > 0 {
		status.Details.RetryAfterSeconds = int32(seconds)
	}
	return &apierrors.StatusError{ErrStatus: status}
}
