// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
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
	"joberror.io/operator/internal/owner"
)

// +kubebuilder:rbac:groups="",resources=events,verbs=list;watch

const (
	// eventPageSize is how many Events are read at a time; no more are held in memory.
	eventPageSize = 500
	// eventRetryDelay is the delay before a failed watch is tried again.
	eventRetryDelay = 5 * time.Second
)

// clusterEvents watches the Events that hold what no status holds: why a pod or a Job is
// not created, why a pod does not start, and how a Job failed that nobody watched. It
// runs on every replica. Each watch is as narrow as a field selector allows, and keeps
// nothing in memory.
type clusterEvents struct {
	*eventHandler
	events typedcorev1.EventsGetter
	// watchedUntil is when the last leader before this replica stopped watching; the
	// zero time if there was none. That leader saw all earlier Events.
	watchedUntil time.Time
}

// handleEvent handles one Event.
type handleEvent func(context.Context, *corev1.Event)

// NeedLeaderElection tells the manager to run the watches on every replica.
func (e *clusterEvents) NeedLeaderElection() bool { return false }

// Start watches until ctx ends.
func (e *clusterEvents) Start(ctx context.Context) error {
	var watches wait.Group
	for selector, handle := range e.handlers() {
		watches.StartWithContext(ctx, func(ctx context.Context) { e.follow(ctx, selector, handle) })
	}
	watches.Wait()
	return nil
}

// handlers returns the handler of each watch by its field selector.
func (e *clusterEvents) handlers() map[string]handleEvent {
	selector := func(kind, field, value string) string {
		return fields.Set{"involvedObject.kind": kind, field: value}.String()
	}
	handlers := map[string]handleEvent{
		selector("Job", "type", corev1.EventTypeWarning):     e.handleJobEvent,
		selector("CronJob", "type", corev1.EventTypeWarning): e.handleCronJobEvent,
	}
	for _, reason := range failure.PodEventReasons {
		handlers[selector("Pod", "reason", reason)] = e.handlePodEvent
	}
	return handlers
}

// follow lists the existing Events and watches for new ones, and starts over when the
// watch ends.
func (e *clusterEvents) follow(ctx context.Context, selector string, handle handleEvent) {
	wait.UntilWithContext(ctx, func(ctx context.Context) {
		version, err := e.list(ctx, selector, handle)
		if err == nil {
			err = e.watchFrom(ctx, version, selector, handle)
		}
		if err != nil && ctx.Err() == nil && !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
			log.FromContext(ctx).Error(err, "Events can't be watched; trying again", "selector", selector)
		}
	}, eventRetryDelay)
}

// list handles all existing Events, page by page, and returns the version to watch from.
func (e *clusterEvents) list(ctx context.Context, selector string, handle handleEvent) (version string, err error) {
	opts := metav1.ListOptions{FieldSelector: selector, Limit: eventPageSize}
	for {
		page, err := e.events.Events(metav1.NamespaceAll).List(ctx, opts)
		if err != nil {
			return "", fmt.Errorf("list Events: %w", err)
		}
		for i := range page.Items {
			handle(ctx, &page.Items[i])
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
func (e *clusterEvents) watchFrom(ctx context.Context, version, selector string, handle handleEvent) error {
	events := &toolscache.ListWatch{WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
		opts.FieldSelector = selector
		return e.events.Events(metav1.NamespaceAll).Watch(ctx, opts)
	}}
	watcher, err := watchtools.NewRetryWatcherWithContext(ctx, version, events)
	if err != nil {
		return fmt.Errorf("watch Events: %w", err)
	}
	defer watcher.Stop()
	for change := range watcher.ResultChan() {
		switch object := change.Object.(type) {
		case *corev1.Event:
			if change.Type != watch.Deleted {
				handle(ctx, object)
			}
		default:
			return apierrors.FromObject(change.Object)
		}
	}
	return nil
}

// handleJobEvent adds the failure of a Job. An Event that an earlier leader saw counts
// only if its failure may still last.
func (e *clusterEvents) handleJobEvent(ctx context.Context, event *corev1.Event) {
	f, ok := failure.FromJobEvent(event)
	if !ok {
		return
	}
	if f.At.Before(e.watchedUntil) && !(f.Transient && e.jobExists(ctx, event)) {
		return
	}
	e.add(event, f)
	if f.Transient {
		e.endIfPodCreated(ctx, event)
	}
}

// endIfPodCreated ends the failure of an Event if a pod of the Job was created before the
// Event was seen.
func (e *clusterEvents) endIfPodCreated(ctx context.Context, event *corev1.Event) {
	job := event.InvolvedObject
	var pods corev1.PodList
	if err := e.cached.List(ctx, &pods, client.InNamespace(job.Namespace), client.MatchingLabels{batchv1.JobNameLabel: job.Name}, client.UnsafeDisableDeepCopy); err != nil {
		log.FromContext(ctx).Error(err, "The pods of a Job can't be listed", "namespace", job.Namespace, "job", job.Name)
	}
	for i := range pods.Items {
		if _, uid := owner.Job(&pods.Items[i]); uid == job.UID {
			e.pending.update(failure.PodCreated(uid, &pods.Items[i]), e.clock.Now())
		}
	}
}

// jobExists reports whether the Job of an Event is in the cache.
func (e *clusterEvents) jobExists(ctx context.Context, event *corev1.Event) bool {
	job, err := jobref.LookupJobByUID(ctx, e.cached, event.InvolvedObject.Namespace, event.InvolvedObject.UID)
	return err == nil && job != nil
}

func (e *clusterEvents) handleCronJobEvent(_ context.Context, event *corev1.Event) {
	if f, ok := failure.FromCronJobEvent(event); ok && !f.At.Before(e.watchedUntil) {
		e.add(event, f)
	}
}

// add adds a failure of the object that an Event is about.
func (e *clusterEvents) add(event *corev1.Event, f failure.Failure) {
	object := event.InvolvedObject
	if e.policy.Watches(object.Namespace) {
		key := types.NamespacedName{Namespace: object.Namespace, Name: object.Name}
		e.pending.add(key, object.UID, []failure.Failure{f}, e.clock.Now())
	}
}

func (e *clusterEvents) handlePodEvent(ctx context.Context, event *corev1.Event) {
	pod := &corev1.Pod{}
	key := types.NamespacedName{Namespace: event.InvolvedObject.Namespace, Name: event.InvolvedObject.Name}
	if err := e.cached.Get(ctx, key, pod, client.UnsafeDisableDeepCopy); err != nil || pod.UID != event.InvolvedObject.UID {
		// It is not a pod of a Job, or it is gone.
		return
	}
	job, uid := owner.Job(pod)
	if uid == "" || !e.policy.Watches(pod.Namespace) {
		return
	}
	now := e.clock.Now()
	e.pending.add(job, uid, []failure.Failure{failure.FromPodEvent(event, pod)}, now)
	e.pending.update(failure.WaitStateOf(pod), now)
}

// lastRenewal returns when the last leader renewed its Lease; the zero time if there was
// no leader.
func lastRenewal(ctx context.Context, apiReader client.Reader, lease types.NamespacedName) (time.Time, error) {
	var last coordinationv1.Lease
	err := apiReader.Get(ctx, lease, &last)
	if apierrors.IsNotFound(err) || err == nil && last.Spec.RenewTime == nil {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read the Lease of the last leader: %w", err)
	}
	return last.Spec.RenewTime.Time, nil
}
