// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failure"
)

// warmUp is the number of errors to write before measuring, because the API server
// is slow right after its start.
const warmUp = 300

// operations measures operations on many errors.
func (b *bench) operations(ctx context.Context, r *results) error {
	if err := b.ensureOperator(ctx); err != nil {
		return err
	}
	warm, err := b.newFloor(ctx)
	if err != nil {
		return err
	}
	if _, err := warm.timeWrites(ctx, span{0, warmUp}, warm.create); err != nil {
		return err
	}
	for _, n := range b.sizes {
		rows, err := b.measureOperations(ctx, n)
		r.operations = append(r.operations, rows...)
		if err != nil {
			return err
		}
	}
	return nil
}

// measureOperations measures each operation on n errors once, in turns with its
// floor.
func (b *bench) measureOperations(ctx context.Context, n int) ([]operation, error) {
	ns, _, err := b.namespace(ctx, "bench", "nightly")
	if err != nil {
		return nil, err
	}
	f, err := b.newFloor(ctx)
	if err != nil {
		return nil, err
	}
	whole := span{0, n}
	var rows []operation
	for _, s := range []step{
		{
			name: "report errors of an existing Job: create and first status", span: whole, floorWrite: f.create,
			request: func(ctx context.Context) error { return b.reportErrors(ctx, ns.Name, "nightly", n) },
			check:   b.allMatch(ns.Name, "nightly", n, linked),
		},
		{
			name: "bulk resolve, one request: spec and status", span: whole, floorWrite: f.resolve,
			request: func(ctx context.Context) error { return b.put(ctx, ns.Name, "nightly", "resolve") },
			check:   b.allMatch(ns.Name, "nightly", n, resolved),
		},
		{
			name: "link to a Job that is created later: owners and status", span: whole, floorWrite: f.link,
			prepare: func(ctx context.Context) error { return b.reportAndWait(ctx, ns.Name, "later", n) },
			request: func(ctx context.Context) error {
				_, err := b.job(ctx, ns.Name, "later")
				return err
			},
			check: b.allMatch(ns.Name, "later", n, linked),
		},
		{
			name: "expiry of overdue errors at startup, including the startup", span: span{0, n / 2}, floorWrite: f.delete,
			prepare: func(ctx context.Context) error {
				return errors.Join(b.stopOperator(), b.reportErrors(ctx, ns.Name, "old", n, expiringAt(time.Now().Add(-time.Hour))))
			},
			start: b.starting,
			check: b.noneLeft(ns.Name, "old"),
		},
	} {
		row, err := b.measure(ctx, f, n, s)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	row, err := b.measureExpiry(ctx, f, n, rows[0].took)
	if err != nil {
		return rows, err
	}
	rows = append(rows, row)
	row, err = b.measureCapture(ctx, f, n)
	if err != nil {
		return rows, err
	}
	return append(rows, row), nil
}

// starting starts the operator and returns the time of the launch.
func (b *bench) starting(ctx context.Context) (time.Time, error) {
	began := time.Now()
	_, err := b.launch(ctx)
	return began, err
}

// reportAndWait reports errors and waits until they have their status.
func (b *bench) reportAndWait(ctx context.Context, namespace, job string, n int, options ...func(*joberrorv1.JobError)) error {
	if err := b.reportErrors(ctx, namespace, job, n, options...); err != nil {
		return err
	}
	_, err := b.waitIdle(ctx, b.allMatch(namespace, job, n, observed))
	return err
}

// measureExpiry makes all errors expire at the same time and measures from then on.
// It allows reporting to take twice as long as before, because the webhook also
// checks an old createdAt.
func (b *bench) measureExpiry(ctx context.Context, f *floor, n int, reporting time.Duration) (operation, error) {
	ns, _, err := b.namespace(ctx, "expiring", "old")
	if err != nil {
		return operation{}, err
	}
	at := time.Now().Add(reporting*2 + 30*time.Second).Truncate(time.Second)
	if err := b.reportAndWait(ctx, ns.Name, "old", n, expiringAt(at)); err != nil {
		return operation{}, err
	}
	return b.measure(ctx, f, n, step{
		name: "expiry, all at the same moment", span: span{n / 2, n}, floorWrite: f.delete,
		start: func(ctx context.Context) (time.Time, error) {
			if time.Now().After(at) {
				return at, errors.New("reporting took too long: the errors expired before it finished")
			}
			return at, sleep(ctx, time.Until(at))
		},
		check: b.noneLeft(ns.Name, "old"),
	})
}

// expiringAt sets createdAt so that the error's retention of 30 days ends then.
func expiringAt(end time.Time) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) {
		je.Spec.CreatedAt = end.Add(-30 * 24 * time.Hour).UTC().Format(time.RFC3339)
	}
}

// put sends a PUT request to the aggregated API, through the API server.
func (b *bench) put(ctx context.Context, namespace, job, path string) error {
	return b.send(ctx, http.MethodPut, namespace, job, "joberrors/"+path, nil)
}

// post reports an error through the aggregated API.
func (b *bench) post(ctx context.Context, je *joberrorv1.JobError) error {
	record := resolvev1.Record{ID: je.Name}
	failure.SetText(&record, je.Spec)
	body, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return b.send(ctx, http.MethodPost, je.Namespace, je.Spec.JobID, "joberrors", body)
}

func (b *bench) send(ctx context.Context, method, namespace, job, path string, body []byte) error {
	url := fmt.Sprintf("%s/apis/resolve.joberror.io/v1/namespaces/%s/jobs/%s/%s", b.Config().Host, namespace, job, path)
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := b.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s", method, url, response.Status)
	}
	return nil
}

// allMatch returns a check that n errors of a job are reconciled and match. Without a
// job, it counts all errors in the namespace.
func (b *bench) allMatch(namespace, job string, n int, match func(*joberrorv1.JobError) bool) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var list joberrorv1.JobErrorList
		selector := client.MatchingFields{}
		if job != "" {
			selector["spec._jobId"] = job
		}
		if err := b.admin.List(ctx, &list, client.InNamespace(namespace), selector); err != nil {
			return "", err
		}
		matching := 0
		for i := range list.Items {
			if je := &list.Items[i]; je.Status.ObservedGeneration == je.Generation && match(je) {
				matching++
			}
		}
		if matching != n {
			return fmt.Sprintf("%d of %d errors match", matching, n), nil
		}
		return "", nil
	}
}

func observed(*joberrorv1.JobError) bool { return true }

func linked(je *joberrorv1.JobError) bool {
	return len(je.OwnerReferences) == 2 && meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionLinked)
}

// orphaned reports whether the operator knows that the Job was deleted.
func orphaned(je *joberrorv1.JobError) bool {
	return je.Status.Job != nil && meta.IsStatusConditionFalse(je.Status.Conditions, joberrorv1.ConditionLinked)
}

func resolved(je *joberrorv1.JobError) bool {
	return je.Status.Resolution != "" && meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionResolved)
}

// noneLeft returns a check that all errors of a job are deleted.
func (b *bench) noneLeft(namespace, job string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var list joberrorv1.JobErrorList
		err := b.admin.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{"spec._jobId": job}, client.Limit(1))
		if err != nil || len(list.Items) == 0 {
			return "", client.IgnoreNotFound(err)
		}
		return "some errors still exist", nil
	}
}
