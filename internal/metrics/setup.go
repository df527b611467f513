// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/failingruns"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/openerrors"
)

// +kubebuilder:rbac:groups=batch,resources=cronjobs,verbs=list;watch

// Setup exports the trouble of up to limit workloads one by one, and deletes the metrics of a
// namespace when the namespace is deleted.
func Setup(ctx context.Context, mgr ctrl.Manager, limit int) error {
	w := &workloadCollector{
		open: openerrors.NewCounter(limit), failing: failingruns.NewTracker(limit),
		defaults: newNamespaceSeverities(mgr.GetLogger().WithName("metrics")),
	}
	// Capture watches the metadata of namespaces, too.
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	cleaner := &namespaceCleaner{clock: clock.RealClock{}, exists: func(name string) bool {
		found := namespace.DeepCopy()
		return mgr.GetCache().Get(ctx, types.NamespacedName{Name: name}, found) == nil
	}}
	var seen []toolscache.ResourceEventHandlerRegistration
	for _, h := range []struct {
		object  client.Object
		handler toolscache.ResourceEventHandler
	}{
		{&joberrorv1.JobError{}, w.open},
		{&joberrorv1.JobError{}, w.failing.JobErrors()},
		{&batchv1.Job{}, w.failing.Jobs()},
		{&batchv1.CronJob{}, w.failing.CronJobs()},
		{namespace, w.defaults},
		{namespace, toolscache.ResourceEventHandlerFuncs{DeleteFunc: cleaner.OnDelete}},
	} {
		registration, err := informers.Handle(ctx, mgr.GetCache(), h.object, h.handler)
		if err != nil {
			return fmt.Errorf("metrics: %w", err)
		}
		seen = append(seen, registration)
	}
	w.ready = func() bool { return isClosed(mgr.Elected()) && haveSynced(seen) }
	if err := metrics.Registry.Register(w); err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// haveSynced reports whether all handlers have seen what was in the cache at first. A new leader
// exports nothing before: a part would look as if errors were resolved.
func haveSynced(registrations []toolscache.ResourceEventHandlerRegistration) bool {
	for _, r := range registrations {
		if !r.HasSynced() {
			return false
		}
	}
	return true
}
