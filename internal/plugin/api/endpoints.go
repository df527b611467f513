// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
)

// Job names a job for the endpoints, by name or UID.
type Job struct{ Namespace, ID string }

func (j Job) path(rest ...string) []string {
	group := resolvev1.GroupVersion
	return append([]string{"/apis", group.Group, group.Version, "namespaces", j.Namespace, "jobs", j.ID}, rest...)
}

// Change resolves or reopens errors.
type Change struct {
	Resolved bool
	Reason   string
	DryRun   bool
}

func (c Change) verb() string {
	if c.Resolved {
		return "resolve"
	}
	return "unresolve"
}

// ChangeOne resolves or reopens one error of a job. A resolution that is not complete goes on
// after the answer.
func (c *Client) ChangeOne(ctx context.Context, job Job, name string, change Change) (*joberrorv1.JobErrorResolution, error) {
	body := resolvev1.ResolveRequest{Reason: change.Reason}
	return c.change(ctx, job.path("joberrors", name, change.verb()), body, change)
}

// ChangeMany resolves or reopens errors of a job: these, or every one if there are no names.
func (c *Client) ChangeMany(ctx context.Context, job Job, names []string, change Change) (*joberrorv1.JobErrorResolution, error) {
	body := resolvev1.ResolveRequest{Errors: names, Reason: change.Reason}
	return c.change(ctx, job.path("joberrors", change.verb()), body, change)
}

func (c *Client) change(ctx context.Context, path []string, body resolvev1.ResolveRequest, change Change) (*joberrorv1.JobErrorResolution, error) {
	answer := &joberrorv1.JobErrorResolution{}
	return answer, c.send(ctx, http.MethodPut, path, body, change.DryRun, answer)
}

// Retry retries a job. The answer is a JobErrorRetry, or for a dry run the Job that would be
// created.
func (c *Client) Retry(ctx context.Context, job Job, request resolvev1.RetryRequest, dryRun bool, answer any) error {
	return c.send(ctx, http.MethodPost, job.path("retry"), request, dryRun, answer)
}

func (c *Client) send(ctx context.Context, method string, path []string, body any, dryRun bool, answer any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode the request: %w", err)
	}
	request := c.endpoints.Verb(method).AbsPath(path...).SetHeader("Content-Type", "application/json").Body(data)
	if dryRun {
		request.Param("dryRun", metav1.DryRunAll)
	}
	result := request.Do(ctx)
	// Error finds the Status in the body, which Raw does not look for.
	if err := result.Error(); err != nil {
		return err
	}
	data, err = result.Raw()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, answer); err != nil {
		return fmt.Errorf("decode the answer to %s %s: %w", method, path[len(path)-1], err)
	}
	return nil
}

// Report reports rows of a job. body is an array of records in JSON. If some rows were not
// stored, the results say why.
func (c *Client) Report(ctx context.Context, job Job, body []byte, dryRun bool) ([]resolvev1.ReportedRecord, error) {
	// The caller shows that it waits, so the client does not wait on its own.
	request := c.endpoints.Post().AbsPath(job.path("joberrors")...).SetHeader("Content-Type", "application/json").Body(body).MaxRetries(0)
	if dryRun {
		request.Param("dryRun", metav1.DryRunAll)
	}
	result := request.Do(ctx)
	data, err := result.Raw()
	var rows []resolvev1.ReportedRecord
	if json.Unmarshal(data, &rows) == nil && len(rows) > 0 {
		return rows, nil
	}
	if err != nil {
		return nil, result.Error()
	}
	return nil, fmt.Errorf("decode the answer to the report: it is not an array of records: %.100s", data)
}
