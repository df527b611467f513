// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package joberror

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	testingclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/joberrors/joberrorstest"
	"joberror.io/operator/internal/jobref/jobreftest"
	"joberror.io/operator/internal/retention"
)

var (
	resource  = joberrorv1.GroupVersion.WithResource("joberrors").GroupResource()
	conflict  = apierrors.NewConflict(resource, "e1", errors.New("it has changed"))
	notFound  = apierrors.NewNotFound(resource, "e1")
	forbidden = apierrors.NewForbidden(resource, "e1", errors.New("no right"))
	timeout   = apierrors.NewTimeoutError("busy", 1)
)

// newGuard returns a guard for a clock that is ahead of the API server's.
func newGuard(t *testing.T, c client.Client, ahead time.Duration) *expiry.Guard {
	t.Helper()
	return expiry.NewGuard(t.Name(), expiry.Options{
		Clock: testingclock.NewFakePassiveClock(now), Ahead: func() time.Duration { return ahead }, AllowMass: true,
		Recorder: events.NewFakeRecorder(10), Object: &coordinationv1.Lease{},
	}, expiriesIn(c, retention.Policy{Default: 30 * 24 * time.Hour}))
}

// newReconciler returns a reconciler whose reads, deletes and writes are intercepted.
func newReconciler(t *testing.T, cache interceptor.Funcs, server *joberrorstest.Server, objects ...client.Object) *Reconciler {
	t.Helper()
	c := jobreftest.Cache(t, cache, objects...)
	return &Reconciler{
		Cached: c, APIReader: c, Writer: server.Writer(t), Expiry: expiry.NewDeleter("JobError", c, newGuard(t, c, 0)), Recorder: events.NewFakeRecorder(10),
		Clock: testingclock.NewFakePassiveClock(now), Retention: retention.Policy{Default: 30 * 24 * time.Hour}, completed: newCompletedJobs(), recoveries: newRecoveries(),
	}
}

// created returns an error that was created some time ago.
func created(ago time.Duration) *joberrorv1.JobError {
	je := jobError(1)
	je.ResourceVersion, je.Spec.CreatedAt = "7", now.Add(-ago).Format(time.RFC3339)
	return je
}

// A write that fails because the cache is behind is not an error: the next event of the
// object brings the next reconcile.
func TestFailedStatusPatch(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer *apierrors.StatusError
		want   ctrl.Result
		err    bool
	}{
		"success":   {want: ctrl.Result{RequeueAfter: 29 * 24 * time.Hour}},
		"conflict":  {answer: conflict},
		"not found": {answer: notFound},
		"forbidden": {answer: forbidden, err: true},
		"timeout":   {answer: timeout, err: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &joberrorstest.Server{Answer: func(*http.Request) *apierrors.StatusError { return tc.answer }}
			got, err := newReconciler(t, interceptor.Funcs{}, server).Reconcile(t.Context(), created(24*time.Hour))
			if got != tc.want || (err != nil) != tc.err {
				t.Errorf("Reconcile = %v, %v, want %v", got, err, tc.want)
			}
			if tc.err && !strings.HasPrefix(err.Error(), "patch the status of JobError: ") {
				t.Errorf("err = %q, want what was attempted", err)
			}
			if want := []string{"PATCH /namespaces/team/joberrors/e1/status"}; !slices.Equal(server.Requests(), want) {
				t.Errorf("requests = %v, want %v", server.Requests(), want)
			}
		})
	}
}

func TestFailedDelete(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer error
		err    bool
	}{
		"success": {}, "conflict": {answer: conflict}, "not found": {answer: notFound},
		"forbidden": {answer: forbidden, err: true}, "timeout": {answer: timeout, err: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &joberrorstest.Server{}
			deletes := interceptor.Funcs{Delete: func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error { return tc.answer }}
			got, err := newReconciler(t, deletes, server).Reconcile(t.Context(), created(31*24*time.Hour))
			if got != (ctrl.Result{}) || (err != nil) != tc.err || tc.err && !errors.Is(err, tc.answer) {
				t.Errorf("Reconcile = %v, %v", got, err)
			}
			if len(server.Requests()) > 0 {
				t.Errorf("requests = %v, want no write", server.Requests())
			}
		})
	}
}

// Without its Job an error must not be judged: it might expire early, or lose its link.
func TestNothingIsWrittenIfTheJobCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]error{"forbidden": forbidden, "timeout": timeout} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := &joberrorstest.Server{}
			lists := interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error { return answer }}
			_, err := newReconciler(t, lists, server).Reconcile(t.Context(), created(31*24*time.Hour))
			if !errors.Is(err, answer) || !strings.HasPrefix(err.Error(), "find the Job: ") {
				t.Errorf("err = %v, want %v and what was attempted", err, answer)
			}
			if len(server.Requests()) > 0 {
				t.Errorf("requests = %v, want no write", server.Requests())
			}
		})
	}
}

// The namespace of an existing Job exists: the cache of namespaces is behind.
func TestRequeuesUntilTheNamespaceIsCached(t *testing.T) {
	t.Parallel()
	server := &joberrorstest.Server{}
	got, err := newReconciler(t, interceptor.Funcs{}, server, job("")).Reconcile(t.Context(), created(time.Hour))
	if err != nil || got.RequeueAfter <= 0 || got.RequeueAfter > time.Second || len(server.Requests()) > 0 {
		t.Errorf("Reconcile = %v, %v after %v, want a requeue soon", got, err, server.Requests())
	}
}
