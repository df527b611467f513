// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package trim

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	testclock "k8s.io/utils/clock/testing"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/errorlimit"
	"joberror.io/operator/internal/jobref/jobreftest"
	"joberror.io/operator/internal/requeue"
)

var (
	testTime   = time.Date(2026, 11, 6, 0, 0, 0, 0, time.UTC)
	importJob  = errorlimit.Scope{Namespace: "team", Kind: errorlimit.Job, Name: "import"}
	errRefused = errors.New("refused")
)

// hourly returns n open errors, one for each hour.
func hourly(n int) []client.Object {
	var errs []client.Object
	for i := range n {
		je := open(fmt.Sprintf("e-%04d", i), i)
		je.UID = types.UID(je.Name)
		errs = append(errs, je)
	}
	return errs
}

// reconcilerFor returns a reconciler for a cluster with these errors.
func reconcilerFor(t *testing.T, limits errorlimit.Limits, intercept interceptor.Funcs, errs ...client.Object) *Reconciler {
	t.Helper()
	c := jobreftest.Cache(t, intercept, append(errs,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team", UID: "ns"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: metav1.NamespaceSystem, UID: "cluster"}})...)
	counter := errorlimit.NewCounter(limits)
	for _, je := range errs {
		counter.OnAdd(je, true)
	}
	return &Reconciler{
		Cached: c, APIReader: c, Errors: jobreftest.Lister[*joberrorv1.JobError](c, &joberrorv1.JobErrorList{}), Clock: testclock.NewFakePassiveClock(testTime), Counter: counter, Concurrency: 4,
		deleted: map[errorlimit.Scope]sets.Set[types.UID]{},
	}
}

func reconcileScope(t *testing.T, r *Reconciler, scope errorlimit.Scope) (ctrl.Result, error) {
	t.Helper()
	return r.Reconcile(t.Context(), requestFor(scope))
}

// state returns how many errors are left, and how many deleted ones the record counts; -1
// if there is no record.
func state(t *testing.T, r *Reconciler) (left int, counted int32) {
	t.Helper()
	var list joberrorv1.JobErrorList
	if err := r.Cached.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	counted = -1
	for i := range list.Items {
		if list.Items[i].Labels[joberrorv1.LabelCaptured] == joberrorv1.CapturedTrimmed {
			counted = list.Items[i].Status.Occurrences
		} else {
			left++
		}
	}
	return left, counted
}

func expectState(t *testing.T, r *Reconciler, left int, counted int32) {
	t.Helper()
	if gotLeft, gotCounted := state(t, r); gotLeft != left || gotCounted != counted {
		t.Errorf("%d errors are left and %d counted, want %d and %d", gotLeft, gotCounted, left, counted)
	}
}

func TestRequestsIdentifyScopes(t *testing.T) {
	t.Parallel()
	for _, scope := range []errorlimit.Scope{importJob, errorlimit.ScopeOf("team"), {Namespace: "team", Kind: errorlimit.CronJob, Name: "nightly"}} {
		if got := scopeOf(requestFor(scope)); got != scope {
			t.Errorf("scopeOf(requestFor(%v)) = %v", scope, got)
		}
	}
}

func TestTrimsInTurns(t *testing.T) {
	t.Parallel()
	r := reconcilerFor(t, errorlimit.Limits{Job: 10}, interceptor.Funcs{}, hourly(maxTurn+30)...)
	result, err := reconcileScope(t, r, importJob)
	if err != nil || result.RequeueAfter != requeue.StaleCacheDelay {
		t.Errorf("the first turn = %v, %v; want another one", result, err)
	}
	expectState(t, r, 30, maxTurn)
	if result, err := reconcileScope(t, r, importJob); err != nil || !result.IsZero() {
		t.Errorf("the last turn = %v, %v; want no other", result, err)
	}
	expectState(t, r, 10, maxTurn+20)
	if len(r.deleted) > 1 {
		t.Errorf("%d scopes are remembered, want one at most", len(r.deleted))
	}
}

func TestANamespaceWaitsForItsJobs(t *testing.T) {
	t.Parallel()
	r := reconcilerFor(t, errorlimit.Limits{Job: 2, Namespace: 1}, interceptor.Funcs{}, hourly(3)...)
	if result, err := reconcileScope(t, r, errorlimit.ScopeOf("team")); err != nil || result.RequeueAfter != delay {
		t.Errorf("Reconcile = %v, %v; want to wait %s", result, err, delay)
	}
	expectState(t, r, 3, -1)
}

func TestCountsBeforeItDeletes(t *testing.T) {
	t.Parallel()
	refuse := true
	r := reconcilerFor(t, errorlimit.Limits{Job: 1}, interceptor.Funcs{
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			if uid := (&client.DeleteOptions{}).ApplyOptions(opts).Preconditions.UID; uid == nil || *uid != obj.GetUID() {
				t.Errorf("deleted %s with the UID precondition %v", obj.GetName(), uid)
			}
			if refuse && obj.GetName() == "e-0001" {
				return errRefused
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return c.Delete(ctx, obj, opts...)
		},
	}, hourly(4)...)
	r.Concurrency = 1
	if _, err := reconcileScope(t, r, importJob); !errors.Is(err, errRefused) {
		t.Errorf("Reconcile = %v, want %v", err, errRefused)
	}
	expectState(t, r, 3, 3)
	refuse = false
	if _, err := reconcileScope(t, r, importJob); err != nil {
		t.Fatal(err)
	}
	expectState(t, r, 1, 3)
}

func TestDoesNotDeleteTwiceWhatTheCacheStillHas(t *testing.T) {
	t.Parallel()
	errs := hourly(3)
	r := reconcilerFor(t, errorlimit.Limits{Job: 2}, interceptor.Funcs{
		// The cache never learns of a deletion.
		Delete: func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error { return nil },
	}, errs...)
	for range 3 {
		if _, err := reconcileScope(t, r, importJob); err != nil {
			t.Fatal(err)
		}
	}
	expectState(t, r, 3, 1)
}

func TestAFailedListForgetsNoDeletion(t *testing.T) {
	t.Parallel()
	fails, deletions := false, 0
	r := reconcilerFor(t, errorlimit.Limits{Job: 2}, interceptor.Funcs{
		// The cache never learns of a deletion.
		Delete: func(context.Context, client.WithWatch, client.Object, ...client.DeleteOption) error {
			deletions++
			return nil
		},
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if fails {
				return errRefused
			}
			return c.List(ctx, list, opts...)
		},
	}, hourly(3)...)
	for _, fails = range []bool{false, true, false} {
		if _, err := reconcileScope(t, r, importJob); errors.Is(err, errRefused) != fails {
			t.Fatalf("err = %v, want a failure: %t", err, fails)
		}
	}
	if deletions != 1 {
		t.Errorf("deletions = %d, want 1", deletions)
	}
}

func TestDeletesWithoutARecord(t *testing.T) {
	t.Parallel()
	taken := open(newRecord(importJob, open("e", 1), 1, testTime).Name, 23)
	taken.Spec.JobID, taken.UID = "other", "taken"
	for name, test := range map[string]struct {
		errs    []client.Object
		refusal error
		left    int
	}{
		"a quota refuses it":       {hourly(3), apierrors.NewForbidden(schema.GroupResource{}, "", errors.New("exceeded quota")), 1},
		"another error has a name": {append(hourly(3), taken), nil, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := reconcilerFor(t, errorlimit.Limits{Job: 1}, interceptor.Funcs{
				Create: func(context.Context, client.WithWatch, client.Object, ...client.CreateOption) error {
					return test.refusal
				},
			}, test.errs...)
			if _, err := reconcileScope(t, r, importJob); err != nil {
				t.Fatal(err)
			}
			expectState(t, r, test.left, -1)
		})
	}
}
