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

// apiServer is an API server that lists the writes that it is asked for.
type apiServer struct {
	client.WithWatch
	mu     sync.Mutex
	writes []string
	// before is called before each write.
	before func(write string) error
}

func newServer(t *testing.T, objects ...client.Object) *apiServer {
	t.Helper()
	types := runtime.NewScheme()
	if err := joberrorv1.AddToScheme(types); err != nil {
		t.Fatal(err)
	}
	s := &apiServer{}
	write := func(verb string) error {
		s.mu.Lock()
		s.writes = append(s.writes, verb)
		s.mu.Unlock()
		if s.before == nil {
			return nil
		}
		return s.before(verb)
	}
	s.WithWatch = fake.NewClientBuilder().WithScheme(types).WithObjects(objects...).WithStatusSubresource(&joberrorv1.JobError{}).
		WithInterceptorFuncs(interceptor.Funcs{
			Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
				if err := write("create"); err != nil {
					return err
				}
				return c.Create(ctx, obj, opts...)
			},
			Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
				if err := write("patch"); err != nil {
					return err
				}
				return c.Patch(ctx, obj, patch, opts...)
			},
			SubResourcePatch: func(ctx context.Context, c client.Client, subresource string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
				if err := write(subresource); err != nil {
					return err
				}
				return c.SubResource(subresource).Patch(ctx, obj, patch, opts...)
			},
		}).Build()
	return s
}

var reporter = &user.DefaultInfo{Name: "pipeline"}

// reports keeps the rows of one request, and returns what was written for them.
func (s *apiServer) reports(t *testing.T, records ...resolvev1.Record) (kept resolvev1.Record, writes string, err error) {
	t.Helper()
	s.writes = nil
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "job", UID: "1"}}
	b := &backend{client: s, live: s, reports: semaphore.NewWeighted(reportsInFlight)}
	reports := reportsIn(records, job, reporter, time.Now())
	if len(reports) != 1 {
		t.Fatalf("%d rows are %d records", len(records), len(reports))
	}
	kept, err = b.keep(t.Context(), jobref.Ref{Namespace: "team", ID: "job", Job: job}, reports[0], false)
	return kept, strings.Join(s.writes, " "), err
}

// get returns an error as the controller would leave it.
func (s *apiServer) get(t *testing.T, name string) *joberrorv1.JobError {
	t.Helper()
	je := &joberrorv1.JobError{}
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: "team", Name: name}, je); err != nil {
		t.Fatal(err)
	}
	failure.CountMarked(je, &je.Status)
	return je
}

// settle writes the status as the controller would.
func (s *apiServer) settle(t *testing.T, name string, resolved bool) {
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
	row      = resolvev1.Record{ID: "a", Message: "m"}
	earlier  = resolvev1.Record{ID: "a", Message: "m", CreatedAt: time.Now().Add(-time.Hour).Format(time.RFC3339)}
	isClosed = resolvev1.Record{ID: "a", Message: "m", Resolved: true}
)

func TestWhatIsWrittenForAReport(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		first, again []resolvev1.Record
		resolved     bool
		writes       string
		occurrences  int32
		open         bool
	}{
		"a record":                       {again: []resolvev1.Record{row}, writes: "create", occurrences: 1, open: true},
		"a thousand equal rows":          {again: slices.Repeat([]resolvev1.Record{row}, 1000), writes: "create", occurrences: 1000, open: true},
		"rows of several times":          {again: []resolvev1.Record{row, earlier, earlier}, writes: "create status", occurrences: 3, open: true},
		"a record that is resolved":      {again: []resolvev1.Record{isClosed}, writes: "create", occurrences: 1},
		"rows of which one is open":      {again: []resolvev1.Record{isClosed, row}, writes: "create", occurrences: 2, open: true},
		"a record again":                 {first: []resolvev1.Record{row}, again: []resolvev1.Record{row}, writes: "create status", occurrences: 2, open: true},
		"a thousand equal rows again":    {first: []resolvev1.Record{row}, again: slices.Repeat([]resolvev1.Record{row}, 1000), writes: "create status", occurrences: 1001, open: true},
		"the same request again":         {first: []resolvev1.Record{earlier}, again: []resolvev1.Record{earlier}, writes: "create", occurrences: 1, open: true},
		"one that was resolved":          {first: []resolvev1.Record{row}, again: []resolvev1.Record{row}, resolved: true, writes: "create patch", occurrences: 2, open: true},
		"rows of one that was resolved":  {first: []resolvev1.Record{row}, again: []resolvev1.Record{earlier, row, row}, resolved: true, writes: "create status patch", occurrences: 4, open: true},
		"one that was, and is, resolved": {first: []resolvev1.Record{row}, again: []resolvev1.Record{isClosed}, resolved: true, writes: "create status", occurrences: 2},
		"the same request, resolved":     {first: []resolvev1.Record{earlier}, again: []resolvev1.Record{earlier}, resolved: true, writes: "create", occurrences: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			if tc.first != nil {
				if _, _, err := s.reports(t, tc.first...); err != nil {
					t.Fatal(err)
				}
				s.settle(t, "a", tc.resolved)
			}
			kept, writes, err := s.reports(t, tc.again...)
			if err != nil || kept.ID != "a" || kept.Resolved == tc.open || writes != tc.writes {
				t.Errorf("kept is %+v, %v, after %s, want %s", kept, err, writes, tc.writes)
			}
			je := s.get(t, "a")
			if je.Spec.Resolved == tc.open || je.Status.Occurrences != tc.occurrences {
				t.Errorf("it is %+v, want %d occurrences", je, tc.occurrences)
			}
			mark := attribution.MarkOf(je)
			want := attribution.Mark{}
			switch {
			case tc.resolved && tc.open:
				want = attribution.Mark{By: "pipeline", Generation: je.Generation + 1, Cause: attribution.Cause{Reason: attribution.ReportedAgain}}
			case !tc.open && tc.first == nil:
				want = attribution.Mark{By: "pipeline", Generation: 1}
			}
			if mark != want {
				t.Errorf("it is marked with %+v, want %+v", mark, want)
			}
		})
	}
}

// The controller writes the first status, people resolve the error, and other
// requests count it, all at the same time.
func TestAConflictTakesAnotherAttempt(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	if _, _, err := s.reports(t, row); err != nil {
		t.Fatal(err)
	}
	conflicts := map[string]int{}
	s.before = func(write string) error {
		if conflicts[write]++; write != "create" && conflicts[write] == 1 {
			// The one who was first resolves it.
			s.before = nil
			s.settle(t, "a", true)
		}
		return nil
	}
	kept, writes, err := s.reports(t, row, row)
	if je := s.get(t, "a"); err != nil || kept.Resolved || je.Spec.Resolved || je.Status.Occurrences != 3 {
		t.Errorf("kept is %+v, %v, after %s: %+v", kept, err, writes, je)
	}

	s.before = func(string) error {
		return apierrors.NewConflict(joberrorv1.GroupVersion.WithResource("joberrors").GroupResource(), "a", errors.New("x"))
	}
	var status apierrors.APIStatus
	if _, writes, err := s.reports(t, row); !errors.As(err, &status) || strings.Count(writes, "status") > 1 && status.Status().Code != 503 {
		t.Errorf("without end it ends in %v", err)
	}
}

func TestReportsAtOnceAreAllCounted(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	job := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "job", UID: "1"}}
	b := &backend{client: s, live: s, reports: semaphore.NewWeighted(4)}
	var group errgroup.Group
	for range 20 {
		group.Go(func() error {
			report := reportsIn([]resolvev1.Record{row, row}, job, reporter, time.Now())[0]
			_, err := b.keep(t.Context(), jobref.Ref{Namespace: "team", ID: "job", Job: job}, report, false)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if je := s.get(t, "a"); je.Status.Occurrences != 40 {
		t.Errorf("%d occurrences, want 40", je.Status.Occurrences)
	}
}

func TestAnErrorThatIsDeletedAtTheSameTimeIsCreatedAgain(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	if _, _, err := s.reports(t, row); err != nil {
		t.Fatal(err)
	}
	s.before = func(write string) error {
		if write == "status" {
			s.before = nil
			return s.Delete(t.Context(), s.get(t, "a"))
		}
		return nil
	}
	if _, writes, err := s.reports(t, row, row); err != nil || writes != "create status create" {
		t.Errorf("%v after %s", err, writes)
	}
	if je := s.get(t, "a"); je.Status.Occurrences != 2 {
		t.Errorf("it is %+v", je)
	}
}

func TestWhatIsNotTheRecordIsNotCounted(t *testing.T) {
	t.Parallel()
	je := func(name, job, message string, labels map[string]string) *joberrorv1.JobError {
		return &joberrorv1.JobError{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name, Labels: labels},
			Spec:       joberrorv1.JobErrorSpec{JobID: job, Message: message},
		}
	}
	s := newServer(t, je("others", "other", "m", nil), je("differs", "job", "n", nil), je("captured", "job", "m", map[string]string{joberrorv1.LabelCaptured: joberrorv1.Captured}))
	for _, name := range []string{"others", "differs"} {
		if _, writes, err := s.reports(t, resolvev1.Record{ID: name, Message: "m"}); !apierrors.IsConflict(err) || writes != "create" {
			t.Errorf("%s: %v after %s", name, err, writes)
		}
	}
	if _, writes, err := s.reports(t, resolvev1.Record{ID: "captured", Message: "m"}); err != nil || writes != "create" {
		t.Errorf("%v after %s", err, writes)
	}
}
