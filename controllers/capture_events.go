// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	toolscache "k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/jobref"
)

// +kubebuilder:rbac:groups="",resources=events,verbs=list;watch

const (
	// eventPage is how many Events are read at a time; no more are held.
	eventPage = 500
	// eventRetry is how long a watch that failed waits for the next try.
	eventRetry = 5 * time.Second
)

// clusterEvents watches the Events that say what no status says: why a pod or a Job is
// not created, why a pod does not start, and how a Job failed that nobody watched. It
// runs on every replica. Each watch is as narrow as a field selector can be, and holds
// nothing.
type clusterEvents struct {
	*collector
	events typedcorev1.EventsGetter
	// unwatched is when the leader before this replica stopped watching; the zero time
	// if there was none. That leader saw what happened before.
	unwatched time.Time
}

// NeedLeaderElection tells the manager to start it on every replica.
func (e *clusterEvents) NeedLeaderElection() bool { return false }

// Start watches until the context ends.
func (e *clusterEvents) Start(ctx context.Context) error {
	var watches wait.Group
	for selector, see := range e.selectors() {
		watches.StartWithContext(ctx, func(ctx context.Context) { e.follow(ctx, selector, see) })
	}
	watches.Wait()
	return nil
}

// selectors returns what is watched, and who reads it.
func (e *clusterEvents) selectors() map[string]func(context.Context, *corev1.Event) {
	of := func(kind, field, value string) string {
		return fields.Set{"involvedObject.kind": kind, field: value}.String()
	}
	selectors := map[string]func(context.Context, *corev1.Event){
		of("Job", "type", corev1.EventTypeWarning):     e.seeJobEvent,
		of("CronJob", "type", corev1.EventTypeWarning): e.seeCronJobEvent,
	}
	for _, reason := range failure.PodEventReasons {
		selectors[of("Pod", "reason", reason)] = e.seePodEvent
	}
	return selectors
}

// follow reads the Events that there are and then watches, again and again.
func (e *clusterEvents) follow(ctx context.Context, selector string, see func(context.Context, *corev1.Event)) {
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		version, err := e.list(ctx, selector, see)
		if err == nil {
			err = e.watchFrom(ctx, version, selector, see)
		}
		if err != nil && ctx.Err() == nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			log.FromContext(ctx).Error(err, "Events can't be watched; trying again", "selector", selector)
		}
	}, eventRetry)
}

// list reads all Events page by page, and returns the version to watch from.
func (e *clusterEvents) list(ctx context.Context, selector string, see func(context.Context, *corev1.Event)) (version string, err error) {
	opts := metav1.ListOptions{FieldSelector: selector, Limit: eventPage}
	for {
		page, err := e.events.Events(metav1.NamespaceAll).List(ctx, opts)
		if err != nil {
			return "", fmt.Errorf("list Events: %w", err)
		}
		for i := range page.Items {
			see(ctx, &page.Items[i])
		}
		if version == "" {
			version = page.ResourceVersion
		}
		if opts.Continue = page.Continue; opts.Continue == "" {
			return version, nil
		}
	}
}

// watchFrom watches until the API server no longer knows the version.
func (e *clusterEvents) watchFrom(ctx context.Context, version, selector string, see func(context.Context, *corev1.Event)) error {
	source := &toolscache.ListWatch{WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
		opts.FieldSelector = selector
		return e.events.Events(metav1.NamespaceAll).Watch(ctx, opts)
	}}
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, version, source)
	if err != nil {
		return fmt.Errorf("watch Events: %w", err)
	}
	defer watcher.Stop()
	for change := range watcher.ResultChan() {
		switch object := change.Object.(type) {
		case *corev1.Event:
			if change.Type != watch.Deleted {
				see(ctx, object)
			}
		default:
			return apierrors.FromObject(change.Object)
		}
	}
	return nil
}

func (e *clusterEvents) seeJobEvent(ctx context.Context, event *corev1.Event) {
	f, ok := failure.OfJobEvent(event)
	if !ok {
		return
	}
	if f.At.Before(e.unwatched) && !(f.Passing && e.exists(ctx, event)) {
		return
	}
	e.seeEvent(event, f)
}

// exists reports whether the Job of an Event is in the cache.
func (e *clusterEvents) exists(ctx context.Context, event *corev1.Event) bool {
	job, err := jobref.FindUID(ctx, e.cache, event.InvolvedObject.Namespace, event.InvolvedObject.UID)
	return err == nil && job != nil
}

func (e *clusterEvents) seeCronJobEvent(_ context.Context, event *corev1.Event) {
	if f, ok := failure.OfCronJobEvent(event); ok && !f.At.Before(e.unwatched) {
		e.seeEvent(event, f)
	}
}

func (e *clusterEvents) seeEvent(event *corev1.Event, f failure.Failure) {
	subject := event.InvolvedObject
	if e.options.Watches(subject.Namespace) {
		e.pending.add(types.NamespacedName{Namespace: subject.Namespace, Name: subject.Name}, subject.UID, []failure.Failure{f}, e.clock.Now())
	}
}

func (e *clusterEvents) seePodEvent(ctx context.Context, event *corev1.Event) {
	pod := &corev1.Pod{}
	key := types.NamespacedName{Namespace: event.InvolvedObject.Namespace, Name: event.InvolvedObject.Name}
	if err := e.cache.Get(ctx, key, pod, client.UnsafeDisableDeepCopy); err != nil || pod.UID != event.InvolvedObject.UID {
		// It is not a pod of a Job, or it is gone.
		return
	}
	job, uid := jobOfPod(pod)
	if uid == "" || !e.options.Watches(pod.Namespace) {
		return
	}
	e.pending.add(job, uid, []failure.Failure{failure.OfPodEvent(event, pod)}, e.clock.Now())
	e.pending.follow(failure.WaitsOf(pod), e.clock.Now())
}

// lastWatched returns when the leader before this replica last renewed its lease; the
// zero time if there was none.
func lastWatched(ctx context.Context, apiReader client.Reader, lease types.NamespacedName) (time.Time, error) {
	var last coordinationv1.Lease
	err := apiReader.Get(ctx, lease, &last)
	if apierrors.IsNotFound(err) || err == nil && last.Spec.RenewTime == nil {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read the lease of the last leader: %w", err)
	}
	return last.Spec.RenewTime.Time, nil
}
