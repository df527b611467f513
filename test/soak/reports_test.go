// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/test/harness"
	"joberror.io/operator/test/soak/ledger"
)

// report reports records of a Job that has not run, resolves some of them, reports some
// again, and deletes some.
func report(ctx context.Context, a *actor) error {
	job := harness.Job(a.namespace(), a.object(""))
	if err := a.create(ctx, job); err != nil {
		return err
	}
	var codes []string
	for i := range a.between(1, 30) {
		codes = append(codes, fmt.Sprintf("row-%d", i))
	}
	first := rows(codes)
	if err := a.post(ctx, job.Namespace, job.Name, first, first); err != nil {
		return err
	}
	if err := a.flip(ctx, job.Namespace, job.Name, true); err != nil {
		return err
	}
	// A record that happened before the time in the status would not reopen its error.
	if _, err := a.awaitErrors(ctx, job.Namespace, job.Name, codes, isUpToDate); err != nil {
		return err
	}
	// The old rows are known, and change nothing.
	second := rows(some(a, codes))
	if err := a.post(ctx, job.Namespace, job.Name, second, slices.Concat(first, second)); err != nil {
		return err
	}
	if a.maybe() {
		if err := a.deleteJob(ctx, job); err != nil {
			return err
		}
	}
	if a.maybe() {
		return a.deleteErrors(ctx, job.Namespace, job.Name)
	}
	return nil
}

// isUpToDate reports whether the operator has observed an error as it is.
func isUpToDate(je *joberrorv1.JobError) bool {
	return je.Status.ObservedGeneration == je.Generation && je.Spec.Resolved == (je.Status.ResolvedAt != nil)
}

// rows returns records with these codes that happen now.
func rows(codes []string) []resolvev1.Record {
	now := time.Now().UTC().Format(time.RFC3339Nano)
	var records []resolvev1.Record
	for _, code := range codes {
		records = append(records, resolvev1.Record{Code: code, Message: "message of " + code, CreatedAt: now})
	}
	return records
}

// post reports records of a Job in several requests at the same time, and enters the fresh
// ones once.
func (a *actor) post(ctx context.Context, namespace, job string, fresh, records []resolvev1.Record) error {
	body, err := json.Marshal(records)
	if err != nil {
		return err
	}
	group, requests := errgroup.WithContext(ctx)
	for range a.between(1, 3) {
		group.Go(func() error {
			answer, err := a.request(requests, http.MethodPost, harness.JobErrorsPath(namespace, job), string(body))
			if err != nil {
				return err
			}
			var stored []resolvev1.ReportedRecord
			if err := json.Unmarshal(answer, &stored); err != nil {
				return fmt.Errorf("decode the stored records: %w", err)
			}
			if len(stored) != len(records) {
				return fmt.Errorf("%d of %d records were answered", len(stored), len(records))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, r := range fresh {
		a.ledger.Happened(ledger.Error{Namespace: namespace, Job: job, Code: r.Code}, 1)
	}
	a.tally.add("reports", len(fresh))
	return nil
}

// deleteErrors deletes some errors of a Job.
func (a *actor) deleteErrors(ctx context.Context, namespace, job string) error {
	list, err := a.awaitErrors(ctx, namespace, job, nil, exists)
	if err != nil {
		return err
	}
	for _, je := range some(a, list) {
		if err := a.delete(ctx, &je); err != nil {
			return err
		}
		a.ledger.Deleted(errorOf(&je))
		a.tally.add("deleted errors", 1)
	}
	return nil
}
