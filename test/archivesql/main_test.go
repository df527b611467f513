//go:build sql

// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package archivesql runs the queries of docs/archive.md on an archive. It needs Node.
// "make test-sql" runs it.
package archivesql

import (
	"errors"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archive"
)

const cluster = types.UID("6f4dfa36-8a53-4b4c-9a7b-3f1f6f0d0000")

// failure is an error to archive.
type failure struct {
	namespace, namespaceUID, name, job, cronJob string
	class, code, team, createdAt                string
	// minutes is how long it took to resolve the error; 0 if it was not resolved.
	minutes int
}

// failures holds what the archive has. One namespace looks like a number, and one was
// deleted and created again.
var failures = []failure{
	{"shop", "shop-1", "a", "nightly-import-1", "nightly-import", "application", "E42", "payments", "2026-01-31T23:59:59Z", 30},
	{"shop", "shop-1", "b", "nightly-import-1", "nightly-import", "application", "E43", "payments", "2026-02-01T00:00:00Z", 0},
	{"shop", "shop-1", "c", "nightly-import-2", "nightly-import", "resources", "OOMKilled", "payments", "2026-02-02T08:00:00Z", 90},
	{"shop", "shop-2", "d", "load", "", "image", "ErrImagePull", "", "2026-03-01T08:00:00Z", 0},
	{"2026", "year", "e", "report", "report", "application", "E1", "", "2026-02-01T10:00:00Z", 10},
}

// entry returns the entry of a failure.
func (f failure) entry(t *testing.T) archive.Entry {
	t.Helper()
	created, err := time.Parse(time.RFC3339, f.createdAt)
	if err != nil {
		t.Fatal(err)
	}
	je := &joberrorv1.JobError{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: f.namespace, Name: f.name, UID: types.UID("uid-" + f.name), ResourceVersion: "1",
			Labels: map[string]string{joberrorv1.LabelClass: f.class},
		},
		Spec: joberrorv1.JobErrorSpec{JobID: f.job, CreatedAt: f.createdAt, Code: f.code, Message: "it's " + f.code},
		Status: joberrorv1.JobErrorStatus{
			RetryID: f.createdAt, Occurrences: 2, Job: &joberrorv1.JobReference{Name: f.job, UID: types.UID("job-" + f.job)},
		},
	}
	if f.cronJob != "" {
		je.Labels[joberrorv1.LabelCronJobName] = f.cronJob
	}
	if f.team != "" {
		je.Labels["example.com/team"] = f.team
	}
	if f.minutes > 0 {
		je.Spec.Resolved = true
		je.Status.ResolvedAt = &metav1.Time{Time: created.Add(time.Duration(f.minutes) * time.Minute)}
		je.Status.ResolvedBy = "jane"
	}
	return archive.Entry{Error: je, NamespaceUID: types.UID(f.namespaceUID)}
}

// newArchive returns the directory of an archive with the failures. One of them is there twice:
// it was resolved after it was written first.
func newArchive(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	store, err := archive.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	earlier := failures[0]
	earlier.minutes = 0
	write(t, store, earlier.entry(t))
	entries := make([]archive.Entry, len(failures))
	for i, f := range failures {
		entries[i] = f.entry(t)
	}
	entries[0].Error.ResourceVersion = "2"
	write(t, store, entries...)
	return dir
}

func write(t *testing.T, store *archive.Store, entries ...archive.Entry) {
	t.Helper()
	written, err := store.Write(t.Context(), cluster, entries)
	if err != nil || len(written) != len(entries) {
		t.Fatal(fmt.Errorf("wrote %d of %d: %w", len(written), len(entries), err))
	}
}

// history returns how many errors the operator finds of a Job in the archive in a directory. The
// Job has two, and one of them has a duplicate.
func history(t *testing.T, dir string) int {
	t.Helper()
	store, err := archive.Open(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	page, err := store.Find(t.Context(), archive.Query{ClusterUID: cluster, Namespace: "shop", NamespaceUID: "shop-1", Job: "nightly-import-1"})
	if err := errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	return len(page.Records)
}
