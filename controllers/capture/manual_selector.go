// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package capture

import (
	"context"
	"sync"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"joberror.io/operator/internal/caches"
)

const (
	// maxManualJobs limits the Jobs with manualSelector: true whose pods are watched;
	// each takes a watch.
	maxManualJobs = 100
	// manualPodsLinger is how long the pods of such a Job are watched after the Job
	// has finished, since they may end later.
	manualPodsLinger = time.Minute
)

// manualPods watches the pods of Jobs with manualSelector: true. The Job controller does
// not label these pods, so the manager's cache does not hold them.
type manualPods struct {
	handler *eventHandler
	pods    typedcorev1.PodsGetter

	mu      sync.Mutex
	watches map[types.UID]context.CancelFunc
}

func newManualPods(handler *eventHandler, pods typedcorev1.PodsGetter) *manualPods {
	return &manualPods{handler: handler, pods: pods, watches: map[types.UID]context.CancelFunc{}}
}

// update starts or stops the watch of a Job's pods.
func (m *manualPods) update(ctx context.Context, job *batchv1.Job) {
	if !ptr.Deref(job.Spec.ManualSelector, false) || job.Spec.Selector == nil || !m.handler.policy.Watches(job.Namespace) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, watched := m.watches[job.UID]
	switch {
	case isFinished(job):
		m.stop(job.UID)
	case watched:
	case len(m.watches) >= maxManualJobs:
		log.FromContext(ctx).Info("The pods of a Job are not watched: too many Jobs have manualSelector: true",
			"namespace", job.Namespace, "job", job.Name, "limit", maxManualJobs)
	default:
		ctx, cancel := context.WithCancel(ctx)
		m.watches[job.UID] = cancel
		go m.informer(job).RunWithContext(ctx)
	}
}

// delete stops the watch of the pods of a deleted Job.
func (m *manualPods) delete(job *batchv1.Job) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stop(job.UID)
}

// stop stops the watch of a Job's pods, if there is one, after they had time to end.
func (m *manualPods) stop(job types.UID) {
	if cancel, watched := m.watches[job]; watched {
		delete(m.watches, job)
		time.AfterFunc(manualPodsLinger, cancel)
	}
}

// isFinished reports whether a Job has failed or completed.
func isFinished(job *batchv1.Job) bool {
	for _, c := range job.Status.Conditions {
		if (c.Type == batchv1.JobFailed || c.Type == batchv1.JobComplete) && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}

func (m *manualPods) informer(job *batchv1.Job) toolscache.Controller {
	pods, selector := m.pods.Pods(job.Namespace), metav1.FormatLabelSelector(job.Spec.Selector)
	_, informer := toolscache.NewInformerWithOptions(toolscache.InformerOptions{
		ListerWatcher: &toolscache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, opts metav1.ListOptions) (runtime.Object, error) {
				opts.LabelSelector = selector
				return pods.List(ctx, opts)
			},
			WatchFuncWithContext: func(ctx context.Context, opts metav1.ListOptions) (watch.Interface, error) {
				opts.LabelSelector = selector
				return pods.Watch(ctx, opts)
			},
		},
		ObjectType: &corev1.Pod{},
		Handler:    m.handler.podHandler(),
		Transform:  caches.StripPod,
	})
	return informer
}
