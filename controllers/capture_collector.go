// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/jobref"
)

type queue = workqueue.TypedRateLimitingInterface[ctrl.Request]

// collector sees what goes wrong with Jobs and their pods. It runs on every replica,
// so that nothing that happens between two leaders is missed; the leader alone
// records. It reads the objects of the events themselves, the one of the deletion
// included: a reconcile that reads the cache later may find nothing.
type collector struct {
	cache   client.Reader
	clock   clock.PassiveClock
	options capturepolicy.Options
	pending *pending
	memory  *failure.Memory
	manual  *manualPods
}

// watch hands the collector every event of the manager's cache.
func (c *collector) watch(ctx context.Context, informers cache.Informers) error {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	for obj, handler := range map[client.Object]toolscache.ResourceEventHandler{
		&corev1.Pod{}: c.podHandler(),
		&batchv1.Job{}: toolscache.ResourceEventHandlerFuncs{
			AddFunc: func(obj any) {
				c.manual.see(ctx, obj.(*batchv1.Job))
				c.seeJob(obj.(*batchv1.Job))
			},
			UpdateFunc: func(before, obj any) {
				c.manual.see(ctx, obj.(*batchv1.Job))
				c.jobChanged(ctx, before.(*batchv1.Job), obj.(*batchv1.Job))
			},
			DeleteFunc: ofDeleted(c.jobGone),
		},
		&joberrorv1.JobError{}: toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { c.pending.recordedAs(obj.(*joberrorv1.JobError)) },
			UpdateFunc: func(_, obj any) { c.pending.recordedAs(obj.(*joberrorv1.JobError)) },
		},
		namespace: toolscache.ResourceEventHandlerFuncs{
			UpdateFunc: func(before, obj any) { c.namespaceChanged(ctx, before.(metav1.Object), obj.(metav1.Object)) },
		},
	} {
		informer, err := informers.GetInformer(ctx, obj, cache.BlockUntilSynced(false))
		if err == nil {
			_, err = informer.AddEventHandler(handler)
		}
		if err != nil {
			return fmt.Errorf("capture: watch %T: %w", obj, err)
		}
	}
	return nil
}

func (c *collector) podHandler() toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { c.seePod(obj.(*corev1.Pod)) },
		UpdateFunc: func(_, obj any) { c.seePod(obj.(*corev1.Pod)) },
		DeleteFunc: ofDeleted(c.podGone),
	}
}

// ofDeleted calls see with the last known state of an object that is gone.
func ofDeleted[T any](see func(T)) func(any) {
	return func(obj any) {
		if gone, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
			obj = gone.Obj
		}
		if typed, ok := obj.(T); ok {
			see(typed)
		}
	}
}

func (c *collector) seePod(pod *corev1.Pod) {
	key, job := jobOfPod(pod)
	if job == "" || !c.options.Watches(pod.Namespace) {
		return
	}
	c.pending.add(key, job, c.memory.OfPod(pod), c.clock.Now())
	c.pending.follow(failure.WaitsOf(pod), c.clock.Now())
	c.pending.follow(failure.PodCreated(job, pod), c.clock.Now())
}

// jobOfPod returns the name and the UID of the Job that controls a pod; no UID if none
// does.
func jobOfPod(pod *corev1.Pod) (types.NamespacedName, types.UID) {
	owner := metav1.GetControllerOf(pod)
	if owner == nil || owner.Kind != "Job" || owner.APIVersion != batchv1.SchemeGroupVersion.String() {
		return types.NamespacedName{}, ""
	}
	return types.NamespacedName{Namespace: pod.Namespace, Name: owner.Name}, owner.UID
}

func (c *collector) podGone(pod *corev1.Pod) {
	if pod.DeletionTimestamp == nil {
		// The watch missed the request, or the pod was deleted by force.
		now := metav1.NewTime(c.clock.Now())
		pod = pod.DeepCopy()
		pod.DeletionTimestamp = &now
	}
	c.seePod(pod)
	c.memory.Forget(pod.UID)
}

func (c *collector) seeJob(job *batchv1.Job) {
	if !c.options.Watches(job.Namespace) {
		return
	}
	failures := failure.OfJob(job)
	c.pending.add(client.ObjectKeyFromObject(job), job.UID, failures, c.clock.Now())
	if len(failures) > 0 {
		c.pending.follow(failure.JobEnded(job.UID), c.clock.Now())
	}
}

// jobChanged looks at the pods again if the Job may be wanted now and was not before.
func (c *collector) jobChanged(ctx context.Context, before, job *batchv1.Job) {
	if before.Annotations[joberrorv1.AnnotationCapture] != job.Annotations[joberrorv1.AnnotationCapture] ||
		c.options.Selects(before) != c.options.Selects(job) {
		c.seePods(ctx, job.Namespace, client.MatchingLabels{batchv1.JobNameLabel: job.Name})
	}
	c.seeJob(job)
}

func (c *collector) jobGone(job *batchv1.Job) {
	c.manual.gone(job)
	c.pending.remember(job)
	c.seeJob(job)
	c.pending.follow(failure.JobEnded(job.UID), c.clock.Now())
}

// namespaceChanged looks at all Jobs of a namespace again whose opt-out may have been
// taken back.
func (c *collector) namespaceChanged(ctx context.Context, before, namespace metav1.Object) {
	if before.GetAnnotations()[joberrorv1.AnnotationCapture] == namespace.GetAnnotations()[joberrorv1.AnnotationCapture] {
		return
	}
	c.seePods(ctx, namespace.GetName())
	all, err := jobref.In(ctx, c.cache, namespace.GetName())
	if err != nil {
		log.FromContext(ctx).Error(err, "The Jobs of a namespace were not looked at again", "namespace", namespace.GetName())
	}
	for i := range all {
		c.seeJob(&all[i])
	}
}

func (c *collector) seePods(ctx context.Context, namespace string, which ...client.ListOption) {
	var list corev1.PodList
	if err := c.cache.List(ctx, &list, append(which, client.InNamespace(namespace), client.UnsafeDisableDeepCopy)...); err != nil {
		log.FromContext(ctx).Error(err, "The pods of a namespace were not looked at again", "namespace", namespace)
	}
	for i := range list.Items {
		c.seePod(&list.Items[i])
	}
}
