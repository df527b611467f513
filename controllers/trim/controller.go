// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

// Package trim deletes the JobErrors over a limit of their CronJob, their Job or their
// namespace, and counts them in one record for each of these scopes.
package trim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/archiver"
	"joberror.io/operator/internal/attribution"
	"joberror.io/operator/internal/errorlimit"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/fairqueue"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/metrics"
	"joberror.io/operator/internal/requeue"
	"joberror.io/operator/internal/retention"
)

const (
	// workers limits the scopes that are trimmed at the same time. All of them share the
	// deletions in flight.
	workers = 1
	// delay is the time from when a scope exceeds its limit until it is trimmed. The errors
	// that are added in this time cost one list.
	delay = time.Second
	// maxTurn limits the errors that are deleted before it is another namespace's turn.
	maxTurn = 1000
)

// +kubebuilder:rbac:groups=joberror.io,resources=joberrors,verbs=get;create;delete
// +kubebuilder:rbac:groups=joberror.io,resources=joberrors/status,verbs=patch

// Reconciler trims scopes. A request is the text of a scope.
type Reconciler struct {
	// Cached reads from the manager's cache and writes to the API server.
	Cached client.Client
	// APIReader reads from the API server.
	APIReader client.Reader
	// Errors lists the JobErrors in the cache.
	Errors    informers.Lister[*joberrorv1.JobError]
	Clock     clock.PassiveClock
	Retention retention.Policy
	Counter   *errorlimit.Counter
	// Concurrency limits the deletions in flight.
	Concurrency int
	// Archive takes errors before they are deleted; nil if there is no archive.
	Archive *archiver.Archiver

	// deleted holds the errors of each scope that were deleted, while the cache still has
	// them. There is one worker, so it needs no lock.
	deleted map[errorlimit.Scope]sets.Set[types.UID]
}

// SetupWithManager adds the controller to the manager.
func (r *Reconciler) SetupWithManager(mgr ctrl.Manager) error {
	r.deleted = map[errorlimit.Scope]sets.Set[types.UID]{}
	for _, kind := range errorlimit.Kinds {
		// The metric exists before anything is deleted.
		metrics.Trimmed(attribution.OperatorNamespace, string(kind), 0)
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named("trim").
		WatchesRawSource(source.Func(r.lead)).
		WithOptions(fairqueue.ControllerOptions(workers)).
		Complete(r)
}

// lead enqueues the scopes that are over their limit now, and those that will be. A scope
// that is waiting already keeps its place.
func (r *Reconciler) lead(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	r.Counter.Notify(func(scope errorlimit.Scope) { q.AddAfter(requestFor(scope), delay) })
	return nil
}

// requestFor returns the request for a scope.
func requestFor(scope errorlimit.Scope) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: scope.Namespace, Name: string(scope.Kind) + "/" + scope.Name}}
}

// scopeOf returns the scope of a request.
func scopeOf(req reconcile.Request) errorlimit.Scope {
	kind, name, _ := strings.Cut(req.Name, "/")
	return errorlimit.Scope{Namespace: req.Namespace, Kind: errorlimit.Kind(kind), Name: name}
}

// Reconcile deletes what is over the limit of a scope, or a part of it if there is a lot.
func (r *Reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	scope := scopeOf(req)
	if scope.Kind == errorlimit.Namespace && r.Counter.NarrowOver(scope.Namespace) {
		// The namespace may have room once its CronJobs and Jobs keep to their limits.
		return requeue.After(delay, nil)
	}
	return requeue.After(r.trim(ctx, scope))
}

func (r *Reconciler) trim(ctx context.Context, scope errorlimit.Scope) (time.Duration, error) {
	errs, err := r.members(ctx, scope)
	if err != nil {
		return 0, fmt.Errorf("list the errors: %w", err)
	}
	limit := r.Counter.Limits().Of(scope.Kind)
	surplus := victims(errs, limit)
	current := turn{errs: surplus[:min(len(surplus), maxTurn)]}
	if r.Archive != nil {
		if current, err = r.archive(ctx, scope, current.errs, len(surplus)); err != nil || len(current.errs) == 0 {
			return current.wait, err
		}
	}
	if len(surplus) == 0 {
		return 0, nil
	}
	record, err := r.ensureRecord(ctx, scope, surplus[0], limit)
	if err != nil {
		return 0, err
	}
	deleted, err := r.deleteAll(ctx, scope, record, current.errs)
	metrics.Trimmed(scope.Namespace, string(scope.Kind), deleted)
	if current.lost {
		r.Archive.CountLost(deleted)
	}
	log.FromContext(ctx).Info("Deleted errors over a limit", "scope", scope.Kind, "of", scope.Name, "limit", limit, "deleted", deleted, "left", len(surplus)-deleted)
	if err == nil && current.wait == 0 && deleted < len(surplus) {
		return 0, requeue.ErrStaleCache
	}
	return current.wait, err
}

// members returns the errors of a scope that are not deleted yet.
func (r *Reconciler) members(ctx context.Context, scope errorlimit.Scope) ([]*joberrorv1.JobError, error) {
	var members []*joberrorv1.JobError
	stale := sets.New[types.UID]()
	err := r.visit(ctx, scope, func(je *joberrorv1.JobError) {
		switch {
		case r.deleted[scope].Has(je.UID):
			stale.Insert(je.UID)
		case slices.Contains(errorlimit.ScopesOf(je), scope):
			members = append(members, je)
		}
	})
	if err != nil {
		return nil, err
	}
	if r.deleted[scope] = stale; len(stale) == 0 {
		delete(r.deleted, scope)
	}
	return members, nil
}

// visit calls f for each error that may belong to a scope.
func (r *Reconciler) visit(ctx context.Context, scope errorlimit.Scope, f func(*joberrorv1.JobError)) error {
	if scope.Kind == errorlimit.Namespace {
		return r.Errors(ctx, scope.Namespace, f)
	}
	list := jobref.Mentions
	if scope.Kind == errorlimit.CronJob {
		list = jobref.CronJobErrors
	}
	errs, err := list(ctx, r.Cached, scope.Namespace, scope.Name)
	for i := range errs {
		f(&errs[i])
	}
	return err
}

// deleteAll counts and deletes errors of a scope, one batch after the other, and returns
// how many it deleted.
func (r *Reconciler) deleteAll(ctx context.Context, scope errorlimit.Scope, record *joberrorv1.JobError, errs []*joberrorv1.JobError) (int, error) {
	deleted := 0
	for batch := range slices.Chunk(errs, failure.MaxDeleted) {
		if record != nil {
			if err := r.count(ctx, record, batch); err != nil {
				return deleted, err
			}
		}
		done, err := r.deleteBatch(ctx, batch)
		r.remember(scope, done)
		deleted += len(done)
		if err != nil {
			return deleted, err
		}
	}
	return deleted, nil
}

// remember notes that errors of a scope are deleted.
func (r *Reconciler) remember(scope errorlimit.Scope, uids []types.UID) {
	if r.deleted[scope] == nil {
		r.deleted[scope] = sets.New[types.UID]()
	}
	r.deleted[scope].Insert(uids...)
}

// deleteBatch deletes errors, several at a time, and returns the UIDs of those that are
// gone. It stops at the first error.
func (r *Reconciler) deleteBatch(ctx context.Context, batch []*joberrorv1.JobError) ([]types.UID, error) {
	gone := make([]bool, len(batch))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.Concurrency)
	for i, je := range batch {
		group.Go(func() error {
			err := r.Cached.Delete(ctx, &joberrorv1.JobError{ObjectMeta: je.ObjectMeta}, r.preconditions(je))
			if r.Archive != nil && apierrors.IsConflict(err) {
				// It is not the version that was archived. The next turn looks again.
				return nil
			}
			// A conflict means that a later error has the name.
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
				return fmt.Errorf("delete JobError %s: %w", je.Name, err)
			}
			gone[i] = true
			return nil
		})
	}
	err := group.Wait()
	var uids []types.UID
	for i, je := range batch {
		if gone[i] {
			uids = append(uids, je.UID)
		}
	}
	return uids, err
}
