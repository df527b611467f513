// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package apiserver

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	batchv1 "k8s.io/api/batch/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apiserver/pkg/authentication/user"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	resolvev1 "joberror.io/operator/api/resolve/v1"
	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/jobref"
)

// apiServer is a fake API server that records the requested writes.
type apiServer struct {
	client.WithWatch
	mu     sync.Mutex
	writes []string
	// beforeWrite is called before each write, if it is set.
	beforeWrite func(verb string) error
}

func newAPIServer(t *testing.T, objects ...client.Object) *apiServer {
	t.Helper()
	testScheme := runtime.NewScheme()
	if err := joberrorv1.AddToScheme(testScheme); err != nil {
		t.Fatal(err)
	}
	s := &apiServer{}
	record := func(verb string) error {
		s.mu.Lock()
		s.writes = append(s.writes, verb)
		s.mu.Unlock()
		if s.beforeWrite == nil {
			return nil
		}
		return s.beforeWrite(verb)
	}
	s.WithWatch = fake.NewClientBuilder().WithScheme(testScheme).WithObjects(objects...).WithStatusSubresource(&joberrorv1.JobError{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
				if err := record("create"); err != nil {
					return err
				}
				return c.Create(ctx, obj, opts...)
			},
			Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
				if err := record("patch"); err != nil {
					return err
				}
				return c.Patch(ctx, obj, patch, opts...)
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, subresource string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
				if err := record(subresource); err != nil {
					return err
				}
				return c.SubResource(subresource).Patch(ctx, obj, patch, opts...)
			},
		}).Build()
	return s
}

var reporter = &user.DefaultInfo{Name: "pipeline"}

// newJob returns the Job that the tests report records of.
func newJob() *batchv1.Job {
	return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "job", UID: "1"}}
}

// report stores the rows of one request, which report the same record. It returns the stored
// record and the writes.
func (s *apiServer) report(t *testing.T, rows ...resolvev1.Record) (stored resolvev1.Record, writes string, err error) {
	t.Helper()
	s.writes = nil
	job := newJob()
	b := &backend{client: s, apiReader: s, summaries: emptySummaries(s), storing: semaphore.NewWeighted(maxStoring)}
	reports := reportRequest{job: job, user: reporter, at: time.Now()}.group(rows)
	if len(reports) != 1 {
		t.Fatalf("%d rows report %d records, want 1", len(rows), len(reports))
	}
	stored, err = b.store(t.Context(), jobref.Ref{Namespace: "team", ID: "job", Job: job}, reports[0], false)
	return stored, strings.Join(s.writes, " "), err
}

// get returns a JobError with the status that the controller would give it.
func (s *apiServer) get(t *testing.T, name string) *joberrorv1.JobError {
	t.Helper()
	je := &joberrorv1.JobError{}
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: "team", Name: name}, je); err != nil {
		t.Fatal(err)
	}
	failure.CountMarked(je, &je.Status)
	return je
}

// reconcile sets spec.resolved and the status, as a user and the controller would.
func (s *apiServer) reconcile(t *testing.T, name string, resolved bool) {
	t.Helper()
	je := s.get(t, name)
	je.Spec.Resolved = resolved
	status := je.Status
	if err := s.Update(t.Context(), je); err != nil {
		t.Fatal(err)
	}
	je.Status = status
	if je.Status.ResolvedAt = nil; resolved {
		je.Status.ResolvedAt = &metav1.Time{Time: time.Now()}
	}
	if err := s.Status().Update(t.Context(), je); err != nil {
		t.Fatal(err)
	}
}

var (
	row         = resolvev1.Record{ID: "a", Message: "m"}
	earlier     = resolvev1.Record{ID: "a", Message: "m", CreatedAt: time.Now().Add(-time.Hour).Format(time.RFC3339)}
	resolvedRow = resolvev1.Record{ID: "a", Message: "m", Resolved: true}
)

func TestReportWritesNoMoreThanNeeded(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		// before are the rows of an earlier request. If resolved is true, its error was
		// then resolved.
		before, rows []resolvev1.Record
		resolved     bool
		writes       string
		occurrences  int32
		open         bool
	}{
		"one row":                                 {rows: []resolvev1.Record{row}, writes: "create", occurrences: 1, open: true},
		"a thousand equal rows":                   {rows: slices.Repeat([]resolvev1.Record{row}, 1000), writes: "create", occurrences: 1000, open: true},
		"rows with different times":               {rows: []resolvev1.Record{row, earlier, earlier}, writes: "create status", occurrences: 3, open: true},
		"a resolved row":                          {rows: []resolvev1.Record{resolvedRow}, writes: "create", occurrences: 1},
		"a resolved row and an open row":          {rows: []resolvev1.Record{resolvedRow, row}, writes: "create", occurrences: 2, open: true},
		"the record of an existing error":         {before: []resolvev1.Record{row}, rows: []resolvev1.Record{row}, writes: "create status", occurrences: 2, open: true},
		"a thousand rows of an existing error":    {before: []resolvev1.Record{row}, rows: slices.Repeat([]resolvev1.Record{row}, 1000), writes: "create status", occurrences: 1001, open: true},
		"the same occurrence":                     {before: []resolvev1.Record{earlier}, rows: []resolvev1.Record{earlier}, writes: "create", occurrences: 1, open: true},
		"the record of a resolved error":          {before: []resolvev1.Record{row}, rows: []resolvev1.Record{row}, resolved: true, writes: "create patch", occurrences: 2, open: true},
		"several rows of a resolved error":        {before: []resolvev1.Record{row}, rows: []resolvev1.Record{earlier, row, row}, resolved: true, writes: "create status patch", occurrences: 4, open: true},
		"a resolved row of a resolved error":      {before: []resolvev1.Record{row}, rows: []resolvev1.Record{resolvedRow}, resolved: true, writes: "create status", occurrences: 2},
		"the same occurrence of a resolved error": {before: []resolvev1.Record{earlier}, rows: []resolvev1.Record{earlier}, resolved: true, writes: "create", occurrences: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newAPIServer(t)
			if tc.before != nil {
				if _, _, err := s.report(t, tc.before...); err != nil {
					t.Fatal(err)
				}
				s.reconcile(t, "a", tc.resolved)
			}
			stored, writes, err := s.report(t, tc.rows...)
			if err != nil || stored.ID != "a" || stored.Resolved == tc.open {
				t.Errorf("stored record = %+v, %v, want a with resolved %t", stored, err, !tc.open)
			}
			if writes != tc.writes {
				t.Errorf("writes = %q, want %q", writes, tc.writes)
			}
			je := s.get(t, "a")
			if je.Spec.Resolved == tc.open || je.Status.Occurrences != tc.occurrences {
				t.Errorf("JobError = %+v, want resolved %t and %d occurrences", je, !tc.open, tc.occurrences)
			}
			mark := attribution.MarkOf(je)
			want := attribution.Mark{}
			switch {
			case tc.resolved && tc.open:
				want = attribution.Mark{By: "pipeline", Generation: je.Generation + 1, Cause: attribution.Cause{Reason: attribution.ReportedAgain}}
			case !tc.open && tc.before == nil:
				want = attribution.Mark{By: "pipeline", Generation: 1}
			}
			if mark != want {
				t.Errorf("mark = %+v, want %+v", mark, want)
			}
		})
	}
}

// The controllers, users and other requests may write the error at the same time.
func TestStoreRetriesAfterAConflict(t *testing.T) {
	t.Parallel()
	s := newAPIServer(t)
	if _, _, err := s.report(t, row); err != nil {
		t.Fatal(err)
	}
	s.beforeWrite = func(verb string) error {
		if verb != "create" {
			// A user resolves the error first.
			s.beforeWrite = nil
			s.reconcile(t, "a", true)
		}
		return nil
	}
	stored, writes, err := s.report(t, row, row)
	if je := s.get(t, "a"); err != nil || stored.Resolved || je.Spec.Resolved || je.Status.Occurrences != 3 {
		t.Errorf("stored record = %+v, %v, after the writes %q, JobError = %+v, want it open with 3 occurrences", stored, err, writes, je)
	}

	s.beforeWrite = func(string) error {
		return apierrors.NewConflict(joberrorv1.GroupVersion.WithResource("joberrors").GroupResource(), "a", errors.New("x"))
	}
	var status apierrors.APIStatus
	if _, writes, err := s.report(t, row); !errors.As(err, &status) || strings.Count(writes, "status") > 1 && status.Status().Code != 503 {
		t.Errorf("error after endless conflicts = %v, want 503", err)
	}
}

func TestCountsConcurrentReports(t *testing.T) {
	t.Parallel()
	s := newAPIServer(t)
	job := newJob()
	b := &backend{client: s, apiReader: s, summaries: emptySummaries(s), storing: semaphore.NewWeighted(4)}
	var group errgroup.Group
	for range 20 {
		group.Go(func() error {
			reported := reportRequest{job: job, user: reporter, at: time.Now()}.group([]resolvev1.Record{row, row})[0]
			_, err := b.store(t.Context(), jobref.Ref{Namespace: "team", ID: "job", Job: job}, reported, false)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if je := s.get(t, "a"); je.Status.Occurrences != 40 {
		t.Errorf("occurrences = %d, want 40", je.Status.Occurrences)
	}
}

func TestStoreRecreatesAnErrorDeletedAtTheSameTime(t *testing.T) {
	t.Parallel()
	s := newAPIServer(t)
	if _, _, err := s.report(t, row); err != nil {
		t.Fatal(err)
	}
	s.beforeWrite = func(verb string) error {
		if verb == "status" {
			s.beforeWrite = nil
			return s.Delete(t.Context(), s.get(t, "a"))
		}
		return nil
	}
	if _, writes, err := s.report(t, row, row); err != nil || writes != "create status create" {
		t.Errorf("writes = %q, %v, want create, status and create", writes, err)
	}
	if je := s.get(t, "a"); je.Status.Occurrences != 2 {
		t.Errorf("occurrences = %d, want 2", je.Status.Occurrences)
	}
}

func TestStoreDoesNotCountOtherOrCapturedErrors(t *testing.T) {
	t.Parallel()
	je := func(name, job, message string, labels map[string]string) *joberrorv1.JobError {
		return &joberrorv1.JobError{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, Labels: labels},
			Spec:       joberrorv1.JobErrorSpec{JobID: job, Message: message},
		}
	}
	s := newAPIServer(t, je("other-job", "other", "m", nil), je("other-content", "job", "n", nil), je("captured", "job", "m", map[string]string{joberrorv1.LabelCaptured: joberrorv1.Captured}))
	for _, name := range []string{"other-job", "other-content"} {
		if _, writes, err := s.report(t, resolvev1.Record{ID: name, Message: "m"}); !apierrors.IsConflict(err) || writes != "create" {
			t.Errorf("%s: writes = %q, %v, want create and a conflict", name, writes, err)
		}
	}
	if _, writes, err := s.report(t, resolvev1.Record{ID: "captured", Message: "m"}); err != nil || writes != "create" {
		t.Errorf("captured: writes = %q, %v, want create", writes, err)
	}
}
