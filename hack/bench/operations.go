// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// warmUp is how many errors are written before anything is measured: an API
// server is slow at first, whoever writes.
const warmUp = 300

// operations measures what is done to many errors at once.
func (b *bench) operations(ctx context.Context, r *report) error {
	if err := b.work(ctx); err != nil {
		return err
	}
	warm, err := b.newFloor(ctx)
	if err != nil {
		return err
	}
	if _, err := warm.time(ctx, span{0, warmUp}, warm.report); err != nil {
		return err
	}
	for _, n := range b.sizes {
		rows, err := b.operate(ctx, n)
		r.operations = append(r.operations, rows...)
		if err != nil {
			return err
		}
	}
	return nil
}

// operate measures each operation on n errors once, between two halves of its
// floor.
func (b *bench) operate(ctx context.Context, n int) ([]operation, error) {
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
	for _, step := range []step{
		{
			name: "report, their Job there: create and first status", span: whole, bare: f.report,
			request: func(ctx context.Context) error { return b.report(ctx, ns.Name, "nightly", n) },
			check:   b.allAre(ns.Name, "nightly", n, linked),
		},
		{
			name: "bulk resolve, one request: spec and status", span: whole, bare: f.resolve,
			request: func(ctx context.Context) error { return b.put(ctx, ns.Name, "nightly", "resolve") },
			check:   b.allAre(ns.Name, "nightly", n, resolved),
		},
		{
			name: "link to a Job that comes later: owners and status", span: whole, bare: f.link,
			prepare: func(ctx context.Context) error { return b.reported(ctx, ns.Name, "later", n) },
			request: func(ctx context.Context) error {
				_, err := b.job(ctx, ns.Name, "later")
				return err
			},
			check: b.allAre(ns.Name, "later", n, linked),
		},
		{
			name: "expiry of what is over at start, the start included", span: span{0, n / 2}, bare: f.delete,
			prepare: func(ctx context.Context) error {
				return errors.Join(b.rest(), b.report(ctx, ns.Name, "old", n, createdFor(time.Now().Add(-time.Hour))))
			},
			start: b.starting,
			check: b.none(ns.Name, "old"),
		},
	} {
		row, err := b.measure(ctx, f, n, step)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	row, err := b.expiring(ctx, f, n, rows[0].took)
	if err != nil {
		return rows, err
	}
	rows = append(rows, row)
	row, err = b.capturing(ctx, f, n)
	if err != nil {
		return rows, err
	}
	return append(rows, row), nil
}

// starting begins with the operator's start.
func (b *bench) starting(ctx context.Context) (time.Time, error) {
	began := time.Now()
	_, err := b.launch(ctx)
	return began, err
}

// reported reports errors and waits until they have their status.
func (b *bench) reported(ctx context.Context, namespace, job string, n int, with ...func(*joberrorv1.JobError)) error {
	if err := b.report(ctx, namespace, job, n, with...); err != nil {
		return err
	}
	_, err := b.done(ctx, b.allAre(namespace, job, n, seen))
	return err
}

// expiring lets all errors expire at one moment, which is where it begins. They
// take at most twice as long to report as others did: the webhook is asked about an
// old createdAt.
func (b *bench) expiring(ctx context.Context, f *floor, n int, reporting time.Duration) (operation, error) {
	ns, _, err := b.namespace(ctx, "expiring", "old")
	if err != nil {
		return operation{}, err
	}
	at := time.Now().Add(reporting*2 + 30*time.Second).Truncate(time.Second)
	if err := b.reported(ctx, ns.Name, "old", n, createdFor(at)); err != nil {
		return operation{}, err
	}
	return b.measure(ctx, f, n, step{
		name: "expiry, all at one moment", span: span{n / 2, n}, bare: f.delete,
		start: func(ctx context.Context) (time.Time, error) {
			if time.Now().After(at) {
				return at, errors.New("the errors took so long to report that they expired meanwhile")
			}
			return at, pause(ctx, time.Until(at))
		},
		check: b.none(ns.Name, "old"),
	})
}

// createdFor lets an error's 30 days end at a moment.
func createdFor(end time.Time) func(*joberrorv1.JobError) {
	return func(je *joberrorv1.JobError) {
		je.Spec.CreatedAt = end.Add(-30 * 24 * time.Hour).UTC().Format(time.RFC3339)
	}
}

// put asks the aggregated API, through the API server.
func (b *bench) put(ctx context.Context, namespace, job, path string) error {
	url := fmt.Sprintf("%s/apis/resolve.joberror.io/v1/namespaces/%s/jobs/%s/joberrors/%s", b.Config().Host, namespace, job, path)
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, nil)
	if err != nil {
		return err
	}
	response, err := b.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("PUT %s: %s", url, response.Status)
	}
	return nil
}

// allAre checks that n errors of a job, or of all jobs in the namespace where none
// is named, are as they should be.
func (b *bench) allAre(namespace, job string, n int, holds func(*joberrorv1.JobError) bool) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var list joberrorv1.JobErrorList
		of := client.MatchingFields{}
		if job != "" {
			of["spec._jobId"] = job
		}
		if err := b.admin.List(ctx, &list, client.InNamespace(namespace), of); err != nil {
			return "", err
		}
		as := 0
		for i := range list.Items {
			if je := &list.Items[i]; je.Status.ObservedGeneration == je.Generation && holds(je) {
				as++
			}
		}
		if as != n {
			return fmt.Sprintf("%d of %d errors are as they should be", as, n), nil
		}
		return "", nil
	}
}

func seen(*joberrorv1.JobError) bool { return true }

func linked(je *joberrorv1.JobError) bool {
	return len(je.OwnerReferences) == 2 && meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionLinked)
}

func resolved(je *joberrorv1.JobError) bool {
	return je.Status.Resolution != "" && meta.IsStatusConditionTrue(je.Status.Conditions, joberrorv1.ConditionResolved)
}

// none checks that no error of a job is left.
func (b *bench) none(namespace, job string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var list joberrorv1.JobErrorList
		err := b.admin.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{"spec._jobId": job}, client.Limit(1))
		if err != nil || len(list.Items) == 0 {
			return "", client.IgnoreNotFound(err)
		}
		return "errors are left", nil
	}
}
