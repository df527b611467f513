// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
)

// warmUp is how many errors are written before anything is measured.
const warmUp = 300

// operations measures what is done to many errors at once.
func (b *bench) operations(ctx context.Context, r *report) error {
	// An API server is slow at first, whoever writes.
	if _, err := b.floor(ctx, warmUp); err != nil {
		return err
	}
	for _, n := range b.sizes {
		before, err := b.floor(ctx, n)
		if err != nil {
			return err
		}
		rows, err := b.operate(ctx, n)
		if err != nil {
			return err
		}
		after, err := b.floor(ctx, n)
		if err != nil {
			return err
		}
		f := before.mean(after)
		floors := []time.Duration{f.resolves, f.creates + f.status, f.links + f.status, f.deletes, f.deletes}
		for i := range rows {
			rows[i].n, rows[i].floor = n, floors[i]
		}
		r.operations = append(r.operations, rows...)
		r.floors = append(r.floors, floorRow{n: n, before: before, after: after})
	}
	return nil
}

// operate runs each operation once, in the order of the floors.
func (b *bench) operate(ctx context.Context, n int) ([]operation, error) {
	if err := b.work(ctx); err != nil {
		return nil, err
	}
	ns, _, err := b.namespace(ctx, "bench", "nightly")
	if err != nil {
		return nil, err
	}
	var rows [5]operation
	for i, step := range []struct {
		row  int
		name string
		do   func(context.Context) (time.Time, error)
		// check is what must hold at the end.
		check func(*joberrorv1.JobError) bool
	}{
		{1, "report, their Job there: admission, create, first status", b.reporting(ns.Name, "nightly", n), linked},
		{0, "bulk resolve, one request: spec and status of each", b.resolving(ns.Name, "nightly"), resolved},
		{-1, "", b.reporting(ns.Name, "later", n), seen},
		{2, "link to a Job that comes later: owners and status of each", b.linking(ns.Name, "later"), linked},
	} {
		job := "nightly"
		if i >= 2 {
			job = "later"
		}
		row, err := b.measure(ctx, step.name, step.do, b.all(ns.Name, job, n, step.check))
		if err != nil {
			return nil, err
		}
		if step.row >= 0 {
			rows[step.row] = row
		}
	}
	if rows[3], err = b.expiring(ctx, n); err != nil {
		return nil, err
	}
	if rows[4], err = b.expiredAtStart(ctx, n); err != nil {
		return nil, err
	}
	return rows[:], b.rest()
}

// measure runs an operation that begins when do says and ends when the operator
// has no more to do.
func (b *bench) measure(ctx context.Context, name string, do func(context.Context) (time.Time, error), check func(context.Context) (string, error)) (operation, error) {
	if name != "" {
		say("%s", name)
	}
	earlier, err := b.writes(ctx)
	if err != nil {
		return operation{}, err
	}
	row := operation{name: name}
	err = b.profile(ctx, fmt.Sprintf("%.11s", name), func() error {
		began, err := do(ctx)
		if err != nil {
			return err
		}
		ended, err := b.done(ctx, check)
		row.took = ended.Sub(began)
		return err
	})
	if err != nil {
		return row, err
	}
	now, err := b.writes(ctx)
	row.writes = now.since(earlier)
	return row, err
}

func (b *bench) reporting(namespace, job string, n int) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		began := time.Now()
		_, err := b.create(ctx, namespace, job, n)
		return began, err
	}
}

func (b *bench) resolving(namespace, job string) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		began := time.Now()
		return began, b.put(ctx, namespace, job, "resolve")
	}
}

func (b *bench) linking(namespace, job string) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		began := time.Now()
		_, err := b.job(ctx, namespace, job)
		return began, err
	}
}

// expiring lets all errors expire at one moment, which is where it begins.
func (b *bench) expiring(ctx context.Context, n int) (operation, error) {
	ns, _, err := b.namespace(ctx, "expiring", "old")
	if err != nil {
		return operation{}, err
	}
	// Late enough for all of them to be there, and settled.
	at := time.Now().Add(15*time.Second + time.Duration(n)*5*time.Millisecond).Truncate(time.Second)
	if _, err := b.create(ctx, ns.Name, "old", n, createdFor(at)); err != nil {
		return operation{}, err
	}
	if _, err := b.done(ctx, b.all(ns.Name, "old", n, linked)); err != nil {
		return operation{}, err
	}
	if time.Now().After(at) {
		return operation{}, fmt.Errorf("the errors took so long to report that they expired meanwhile")
	}
	return b.measure(ctx, "expiry, all at one moment", func(ctx context.Context) (time.Time, error) {
		select {
		case <-ctx.Done():
			return at, ctx.Err()
		case <-time.After(time.Until(at)):
			return at, nil
		}
	}, b.none(ns.Name))
}

// expiredAtStart starts an operator that finds all errors past their time. It
// begins when the process does.
func (b *bench) expiredAtStart(ctx context.Context, n int) (operation, error) {
	if err := b.rest(); err != nil {
		return operation{}, err
	}
	ns, _, err := b.namespace(ctx, "expired", "old")
	if err != nil {
		return operation{}, err
	}
	if _, err := b.create(ctx, ns.Name, "old", n, createdFor(time.Now().Add(-time.Hour))); err != nil {
		return operation{}, err
	}
	return b.measure(ctx, "expiry of what is over at start, the start included", func(ctx context.Context) (time.Time, error) {
		began := time.Now()
		_, err := b.launch(ctx)
		return began, err
	}, b.none(ns.Name))
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

// all checks that n errors of a job are as they should be.
func (b *bench) all(namespace, job string, n int, holds func(*joberrorv1.JobError) bool) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var list joberrorv1.JobErrorList
		if err := b.admin.List(ctx, &list, client.InNamespace(namespace), client.MatchingFields{"spec._jobId": job}); err != nil {
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

// none checks that no error is left.
func (b *bench) none(namespace string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		var list joberrorv1.JobErrorList
		err := b.admin.List(ctx, &list, client.InNamespace(namespace), client.Limit(1))
		if err != nil || len(list.Items) == 0 {
			return "", client.IgnoreNotFound(err)
		}
		return "errors are left", nil
	}
}
