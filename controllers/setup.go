// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package controllers adds the controllers to the manager. Each controller is a package
// of its own: its Reconciler is thin, and each decision is a function of the objects and
// the time, in a file named after it.
package controllers

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/controllers/capture"
	"joberror.io/operator/controllers/joberror"
	"joberror.io/operator/controllers/joberrorresolution"
	"joberror.io/operator/controllers/joberrorretry"
	"joberror.io/operator/controllers/trim"
	"joberror.io/operator/internal/archiver"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/errorlimit"
	"joberror.io/operator/internal/expiry"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/joberrors"
	"joberror.io/operator/internal/retention"
	"joberror.io/operator/internal/retryplan"
	"joberror.io/operator/internal/templates"
)

// reportingController is the name of the operator in Events.
const reportingController = "joberror.io/operator"

// Options are the settings of the controllers.
type Options struct {
	// Retention decides how long records are kept.
	Retention retention.Policy
	// Concurrency limits the writes of JobErrors in flight, and the JobErrors that are
	// reconciled at the same time.
	Concurrency int
	// Capture decides which failures of Jobs are captured.
	Capture capturepolicy.Options
	// Lease is the Lease that the leader holds. Events about the operator refer to it.
	Lease types.NamespacedName
	// AllowMassExpiry deletes all unexpectedly expired objects at once.
	AllowMassExpiry bool
	// ClockAhead returns how far the clock is ahead of the API server's.
	ClockAhead func() time.Duration
	// Planner plans retries.
	Planner *retryplan.Planner
	// Archive holds the settings of the archive, and ArchiveStore is where it is; nil if there
	// is no archive.
	Archive      archiver.Options
	ArchiveStore archiver.Store
	// Counter knows which limits of JobErrors are exceeded.
	Counter *errorlimit.Counter
}

// Setup adds the controllers to the manager. The indexes of the packages jobref and retryplan
// must be set up before.
func Setup(ctx context.Context, mgr ctrl.Manager, opts Options) error {
	writer, err := joberrors.NewWriter(mgr, opts.Concurrency)
	if err != nil {
		return err
	}
	cached := client.WithFieldOwner(mgr.GetClient(), attribution.FieldManager)
	apiReader := mgr.GetAPIReader()
	recorder := mgr.GetEventRecorder(reportingController)
	// One clock for everything: what was resolved at a time expires by the same clock.
	realClock := clock.RealClock{}
	guard := expiry.Options{
		Clock: realClock, Ahead: opts.ClockAhead, AllowMass: opts.AllowMassExpiry, Recorder: recorder,
		Object: &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: opts.Lease.Namespace, Name: opts.Lease.Name}},
	}
	errs := informers.NewLister(mgr.GetCache(), &joberrorv1.JobError{})
	jobs := informers.NewLister(mgr.GetCache(), &batchv1.Job{})
	resolutions := informers.NewLister(mgr.GetCache(), &joberrorv1.JobErrorResolution{})
	expireErrors := expiry.NewDeleter("JobError", cached, expiry.NewGuard("JobError", guard, joberror.Expiries(errs, jobs, opts.Retention)))
	expireResolutions := expiry.NewDeleter("JobErrorResolution", cached, expiry.NewGuard("JobErrorResolution", guard, joberrorresolution.Expiries(resolutions, opts.Retention)))
	retries := informers.NewLister(mgr.GetCache(), &joberrorv1.JobErrorRetry{})
	expireRetries := expiry.NewDeleter("JobErrorRetry", cached, expiry.NewGuard("JobErrorRetry", guard, joberrorretry.Expiries(retries, opts.Retention)))
	for _, deleter := range []*expiry.Deleter{expireErrors, expireResolutions, expireRetries} {
		if err := mgr.Add(deleter); err != nil {
			return err
		}
	}
	archive, err := setupArchive(mgr, opts, guard)
	if err != nil {
		return err
	}
	joberrorController := &joberror.Reconciler{
		Cached: cached, APIReader: apiReader, Writer: writer, Expiry: expireErrors, Recorder: recorder, Clock: realClock,
		Retention: opts.Retention, Capture: opts.Capture, Archive: archive,
	}
	if err := joberrorController.SetupWithManager(ctx, mgr, opts.Concurrency); err != nil {
		return fmt.Errorf("set up the controller of JobErrors: %w", err)
	}
	resolutionController := &joberrorresolution.Reconciler{
		Cached: cached, APIReader: apiReader, Writer: writer, Expiry: expireResolutions, Recorder: recorder, Clock: realClock,
		Retention: opts.Retention, Concurrency: opts.Concurrency,
	}
	if err := resolutionController.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("set up the controller of JobErrorResolutions: %w", err)
	}
	retryController := &joberrorretry.Reconciler{
		Cached: cached, APIReader: apiReader, Planner: opts.Planner, Writer: writer, Expiry: expireRetries, Recorder: recorder, Clock: realClock,
		Retention: opts.Retention, Capture: opts.Capture,
	}
	if err := retryController.SetupWithManager(ctx, mgr); err != nil {
		return fmt.Errorf("set up the controller of JobErrorRetries: %w", err)
	}
	trimController := &trim.Reconciler{
		Cached: cached, APIReader: apiReader, Errors: errs, Clock: realClock, Retention: opts.Retention, Counter: opts.Counter, Concurrency: opts.Concurrency,
		Archive: archive,
	}
	if err := trimController.SetupWithManager(mgr); err != nil {
		return fmt.Errorf("set up the controller that trims JobErrors: %w", err)
	}
	store := templates.NewStore(cached, apiReader, realClock)
	if err := mgr.Add(&templates.Sweeper{Store: store, Errors: errs}); err != nil {
		return err
	}
	if !opts.Capture.Enabled {
		return nil
	}
	captureController := &capture.Reconciler{
		Cached: cached, APIReader: apiReader, Writer: writer, Recorder: recorder, Templates: store, Clock: realClock,
		Retention: opts.Retention, Policy: opts.Capture, Lease: opts.Lease,
	}
	if err := captureController.SetupWithManager(ctx, mgr, opts.Concurrency); err != nil {
		return fmt.Errorf("set up capture: %w", err)
	}
	return nil
}

// setupArchive adds the archiver to the manager. It returns nil if there is no archive.
func setupArchive(mgr ctrl.Manager, opts Options, guard expiry.Options) (*archiver.Archiver, error) {
	if opts.ArchiveStore == nil {
		return nil, nil
	}
	a := archiver.New(opts.Archive, opts.ArchiveStore)
	a.Cached, a.APIReader, a.Clock = mgr.GetClient(), mgr.GetAPIReader(), guard.Clock
	a.Recorder, a.Object = guard.Recorder, guard.Object
	return a, mgr.Add(a)
}
