// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package trim

import (
	"context"
	"errors"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	testclock "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"joberror.io/operator/internal/archive"
	"joberror.io/operator/internal/archiver"
	"joberror.io/operator/internal/errorlimit"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/requeue"
)

// store acknowledges everything, unless it has an error.
type store struct{ err error }

func (s *store) Write(_ context.Context, _ types.UID, entries []archive.Entry) ([]archive.Entry, error) {
	if s.err != nil {
		return nil, s.err
	}
	return entries, nil
}

// archivingReconcilerFor returns a reconciler with an archive in which one error may wait.
func archivingReconcilerFor(t *testing.T, s *store, intercept interceptor.Funcs, errs ...client.Object) *Reconciler {
	t.Helper()
	r := reconcilerFor(t, errorlimit.Limits{Job: 1}, intercept, errs...)
	r.Archive = archiver.New(archiver.Options{Interval: time.Minute, Backlog: 1}, s)
	r.Archive.Cached, r.Archive.APIReader, r.Archive.Clock = r.Cached, r.APIReader, r.Clock
	return r
}

func TestAnErrorThatChangedAfterItWasArchivedIsTrimmedLater(t *testing.T) {
	t.Parallel()
	changed := true
	r := archivingReconcilerFor(t, &store{}, interceptor.Funcs{
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			if changed && obj.GetName() == "e-0001" {
				return apierrors.NewConflict(schema.GroupResource{}, obj.GetName(), errors.New("it has changed"))
			}
			return c.Delete(ctx, obj, opts...)
		},
	}, hourly(3)...)
	if result, err := reconcileScope(t, r, importJob); err != nil || result.RequeueAfter != requeue.StaleCacheDelay {
		t.Errorf("the first turn = %v, %v; want another one", result, err)
	}
	expectState(t, r, 2, 2)
	changed = false
	if result, err := reconcileScope(t, r, importJob); err != nil || !result.IsZero() {
		t.Errorf("the second turn = %v, %v; want no other", result, err)
	}
	expectState(t, r, 1, 2)
}

func TestCountsAsLostOnlyWhatIsDeleted(t *testing.T) {
	t.Parallel()
	metrics.SetupArchive(nil)
	refuse := true
	r := archivingReconcilerFor(t, &store{err: errors.New("the store is down")}, interceptor.Funcs{
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			if refuse {
				return errRefused
			}
			return c.Delete(ctx, obj, opts...)
		},
	}, hourly(4)...)
	for _, step := range []struct {
		when   string
		refuse bool
		left   int
		lost   float64
	}{
		{"the store has just failed", false, 4, 0},
		{"it is down, but nothing can be deleted", true, 4, 0},
		{"it is down", false, 2, 2},
	} {
		refuse = step.refuse
		if _, err := reconcileScope(t, r, importJob); err != nil && !step.refuse {
			t.Fatalf("%s: %v", step.when, err)
		}
		if left, _ := state(t, r); left != step.left || lost(t) != step.lost {
			t.Errorf("%s: %d errors are left and %v lost, want %d and %v", step.when, left, lost(t), step.left, step.lost)
		}
		r.Clock.(*testclock.FakePassiveClock).SetTime(r.Clock.Now().Add(time.Minute))
	}
}

// lost returns how many errors were deleted without being archived.
func lost(t *testing.T) float64 {
	t.Helper()
	families, err := ctrlmetrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var metric *dto.Metric
	for _, family := range families {
		if family.GetName() == "joberror_archive_lost_total" {
			metric = family.GetMetric()[0]
		}
	}
	return metric.GetCounter().GetValue()
}
