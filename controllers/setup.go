// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package controllers records what goes wrong with Jobs, and reconciles JobErrors
// and JobErrorResolutions. The reconcilers are thin: each decision stands in a file
// of its own, as a function of the objects and the time.
package controllers

import (
	"context"
	"errors"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/fairqueue"
	"joberror.io/operator/internal/retention"
)

// reportingController names the operator in Events.
const reportingController = "joberror.io/operator"

// Options are the settings of the controllers.
type Options struct {
	// Retention is how long records are kept.
	Retention retention.Policy
	// Concurrency is how many patches of JobErrors are in flight at a time, and
	// how many JobErrors are reconciled at a time.
	Concurrency int
	// Capture is what of failed Jobs is recorded by itself.
	Capture capturepolicy.Options
	// Lease is the one that the leader holds.
	Lease types.NamespacedName
}

// environment is what both reconcilers work with.
type environment struct {
	// cached reads from the manager's cache and writes to the API server; writer
	// patches JobErrors.
	cached client.Client
	// live reads from the API server.
	live     client.Reader
	writer   *writer
	recorder events.EventRecorder
	clock    clock.PassiveClock
	Options
}

// errStale says that the cache is behind. It is about to bring the newer object,
// or its end, and with it the next reconcile; nothing is to be done until then.
var errStale = errors.New("the cache is behind")

// errEarly says that the cache of another kind of objects is behind, and will
// bring no reconcile: one is to be made soon.
var errEarly = errors.New("the cache of another kind is behind")

const soon = 100 * time.Millisecond

// stale tells a write that failed because the cache is behind from one that
// failed otherwise.
func stale(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return errStale
	}
	return err
}

// from is the patch that leads from an object as it was read, and holds against
// no other.
func from(before client.Object) client.Patch {
	return client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
}

// longestPause is how long a reconcile that fails again and again waits at most
// for the next try: once the API server is back, work goes on soon.
const longestPause = 30 * time.Second

// fairly are the options of a controller with so many workers, whose namespaces
// take turns.
func fairly(workers int) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: workers,
		NewQueue:                fairqueue.New,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[ctrl.Request](5*time.Millisecond, longestPause),
	}
}

// resultOf is the result of a reconcile of an object that has this long left.
func resultOf(left time.Duration, err error) (ctrl.Result, error) {
	switch {
	case errors.Is(err, errStale):
		return ctrl.Result{}, nil
	case errors.Is(err, errEarly):
		return ctrl.Result{RequeueAfter: soon}, nil
	case err != nil:
		return ctrl.Result{}, err
	default:
		return ctrl.Result{RequeueAfter: left}, nil
	}
}

// Setup adds the controllers to the manager. The indexes of package jobs must
// be set up already.
func Setup(ctx context.Context, mgr ctrl.Manager, opts Options) error {
	writer, err := newWriter(mgr, opts.Concurrency)
	if err != nil {
		return err
	}
	env := environment{
		cached:   client.WithFieldOwner(mgr.GetClient(), attribution.FieldManager),
		live:     mgr.GetAPIReader(),
		writer:   writer,
		recorder: mgr.GetEventRecorder(reportingController),
		clock:    clock.RealClock{},
		Options:  opts,
	}
	errorReconciler := &JobErrorReconciler{environment: env, successes: newSuccesses()}
	if err := errorReconciler.successes.watch(ctx, mgr.GetCache()); err != nil {
		return err
	}
	errorController := ctrl.NewControllerManagedBy(mgr).
		For(&joberrorv1.JobError{}).
		Watches(&batchv1.Job{}, handler.EnqueueRequestsFromMapFunc(errorReconciler.errorsOfJob), builder.WithPredicates(jobMatters)).
		WithOptions(fairly(opts.Concurrency))
	if opts.Capture.Enabled {
		errorController.Watches(&corev1.Pod{}, handler.EnqueueRequestsFromMapFunc(errorReconciler.errorsOfPod), builder.WithPredicates(podRecovered))
	}
	if err := errorController.Complete(errorReconciler); err != nil {
		return err
	}
	err = ctrl.NewControllerManagedBy(mgr).
		For(&joberrorv1.JobErrorResolution{}).
		WithOptions(fairly(resolutionWorkers)).
		Complete(&JobErrorResolutionReconciler{environment: env})
	if err != nil || !opts.Capture.Enabled {
		return err
	}
	return setupCapture(ctx, mgr, env)
}

func setupCapture(ctx context.Context, mgr ctrl.Manager, env environment) error {
	captures := &CaptureReconciler{environment: env, pending: newPending(), tally: newTally()}
	collector := &collector{
		cache: env.cached, clock: env.clock, options: env.Capture, pending: captures.pending, memory: failure.NewMemory(),
	}
	core, err := typedcorev1.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return err
	}
	collector.manual = newManualPods(collector, core)
	if err := collector.watch(ctx, mgr.GetCache()); err != nil {
		return err
	}
	unwatched, err := lastWatched(ctx, env.live, env.Lease)
	if err != nil {
		return err
	}
	if err := mgr.Add(&clusterEvents{collector: collector, events: core, unwatched: unwatched}); err != nil {
		return err
	}
	if env.Capture.LogLines > 0 {
		captures.logs = &logs{pods: core, lines: env.Capture.LogLines}
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("capture").
		WatchesRawSource(source.Func(captures.lead)).
		WithOptions(fairly(env.Concurrency)).
		Complete(captures)
}
