// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"fmt"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	joberrorv1 "joberror.io/operator/api/v1"
	"joberror.io/operator/internal/capturepolicy"
	"joberror.io/operator/internal/failure"
	"joberror.io/operator/internal/informers"
	"joberror.io/operator/internal/jobref"
	"joberror.io/operator/internal/owner"
)

// eventHandler puts the failures of Jobs and their pods into pending. It runs on every
// replica, so that nothing is missed between two leaders; only the leader records. It
// reads the objects of the watch events themselves, that of a deletion included: a
// reconcile that reads the cache later may find nothing.
type eventHandler struct {
	cached     client.Reader
	clock      clock.PassiveClock
	policy     capturepolicy.Options
	pending    *pending
	deletions  *failure.DeletionMemory
	manualPods *manualPods
}

// watch adds the handler to the informers of the manager's cache.
func (h *eventHandler) watch(ctx context.Context, objects cache.Informers) error {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	for obj, handler := range map[client.Object]toolscache.ResourceEventHandler{
		&corev1.Pod{}: h.podHandler(),
		&batchv1.Job{}: toolscache.ResourceEventHandlerFuncs{
			AddFunc: func(obj any) {
				h.manualPods.update(ctx, obj.(*batchv1.Job))
				h.handleJob(obj.(*batchv1.Job))
			},
			UpdateFunc: func(before, obj any) {
				h.manualPods.update(ctx, obj.(*batchv1.Job))
				h.handleJobUpdate(ctx, before.(*batchv1.Job), obj.(*batchv1.Job))
			},
			DeleteFunc: withFinalState(h.handleJobDeletion),
		},
		&joberrorv1.JobError{}: toolscache.ResourceEventHandlerFuncs{
			AddFunc:    func(obj any) { h.pending.dropRecorded(obj.(*joberrorv1.JobError)) },
			UpdateFunc: func(_, obj any) { h.pending.dropRecorded(obj.(*joberrorv1.JobError)) },
		},
		namespace: toolscache.ResourceEventHandlerFuncs{
			UpdateFunc: func(before, obj any) {
				h.handleNamespaceUpdate(ctx, before.(metav1.Object), obj.(metav1.Object))
			},
		},
	} {
		if _, err := informers.Handle(ctx, objects, obj, handler); err != nil {
			return fmt.Errorf("capture: %w", err)
		}
	}
	return nil
}

func (h *eventHandler) podHandler() toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(obj any) { h.handlePod(obj.(*corev1.Pod)) },
		UpdateFunc: func(_, obj any) { h.handlePod(obj.(*corev1.Pod)) },
		DeleteFunc: withFinalState(h.handlePodDeletion),
	}
}

// withFinalState calls handle with the last known state of a deleted object.
func withFinalState[T any](handle func(T)) func(any) {
	return func(obj any) {
		if last, ok := informers.Deleted[T](obj); ok {
			handle(last)
		}
	}
}

func (h *eventHandler) handlePod(pod *corev1.Pod) {
	key, job := owner.Job(pod)
	if job == "" || !h.policy.Watches(pod.Namespace) {
		return
	}
	now := h.clock.Now()
	h.pending.add(key, job, h.deletions.FromPod(pod), now)
	h.pending.update(failure.WaitStateOf(pod), now)
	h.pending.update(failure.PodCreated(job, pod), now)
}

func (h *eventHandler) handlePodDeletion(pod *corev1.Pod) {
	if pod.DeletionTimestamp == nil {
		// The watch missed the request, or the pod was deleted by force.
		now := metav1.NewTime(h.clock.Now())
		pod = pod.DeepCopy()
		pod.DeletionTimestamp = &now
	}
	h.handlePod(pod)
	h.deletions.Forget(pod.UID)
}

func (h *eventHandler) handleJob(job *batchv1.Job) {
	if !h.policy.Watches(job.Namespace) {
		return
	}
	failures := failure.FromJob(job)
	h.pending.add(client.ObjectKeyFromObject(job), job.UID, failures, h.clock.Now())
	if len(failures) > 0 {
		h.pending.update(failure.JobEnded(job.UID), h.clock.Now())
	}
}

// handleJobUpdate also looks at the Job's pods again if the Job may have been opted in.
func (h *eventHandler) handleJobUpdate(ctx context.Context, before, job *batchv1.Job) {
	if before.Annotations[joberrorv1.AnnotationCapture] != job.Annotations[joberrorv1.AnnotationCapture] ||
		h.policy.Selects(before) != h.policy.Selects(job) {
		h.handlePods(ctx, job.Namespace, client.MatchingLabels{batchv1.JobNameLabel: job.Name})
	}
	h.handleJob(job)
}

func (h *eventHandler) handleJobDeletion(job *batchv1.Job) {
	h.manualPods.delete(job)
	h.pending.rememberDeleted(job)
	h.handleJob(job)
	h.pending.update(failure.JobEnded(job.UID), h.clock.Now())
}

// handleNamespaceUpdate looks at all Jobs of a namespace again if it may have been opted
// in.
func (h *eventHandler) handleNamespaceUpdate(ctx context.Context, before, namespace metav1.Object) {
	if before.GetAnnotations()[joberrorv1.AnnotationCapture] == namespace.GetAnnotations()[joberrorv1.AnnotationCapture] {
		return
	}
	h.handlePods(ctx, namespace.GetName())
	jobs, err := jobref.JobsIn(ctx, h.cached, namespace.GetName())
	if err != nil {
		log.FromContext(ctx).Error(err, "The Jobs of a namespace can't be listed again", "namespace", namespace.GetName())
	}
	for i := range jobs {
		h.handleJob(&jobs[i])
	}
}

func (h *eventHandler) handlePods(ctx context.Context, namespace string, opts ...client.ListOption) {
	var list corev1.PodList
	if err := h.cached.List(ctx, &list, append(opts, client.InNamespace(namespace), client.UnsafeDisableDeepCopy)...); err != nil {
		log.FromContext(ctx).Error(err, "The pods of a namespace can't be listed again", "namespace", namespace)
	}
	for i := range list.Items {
		h.handlePod(&list.Items[i])
	}
}
