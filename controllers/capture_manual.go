// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package controllers

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
	// maxManual is how many Jobs with a selector of their own are watched at a time,
	// each by a watch of its own.
	maxManual = 100
	// manualLinger is how long the pods of such a Job are watched after it has ended:
	// they may end later.
	manualLinger = time.Minute
)

// manualPods watches the pods of Jobs with manualSelector: true. The Job controller
// does not label them, so the manager's cache does not hold them.
type manualPods struct {
	collector *collector
	pods      typedcorev1.PodsGetter

	mu      sync.Mutex
	watches map[types.UID]context.CancelFunc
}

// see starts or ends the watch of a Job's pods.
func (m *manualPods) see(ctx context.Context, job *batchv1.Job) {
	if !ptr.Deref(job.Spec.ManualSelector, false) || job.Spec.Selector == nil || !m.collector.options.Watches(job.Namespace) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_, watched := m.watches[job.UID]
	switch {
	case ended(job):
		m.end(job.UID)
	case watched:
	case len(m.watches) >= maxManual:
		log.FromContext(ctx).Info("The pods of a Job are not watched: too many Jobs have a selector of their own",
			"namespace", job.Namespace, "job", job.Name, "limit", maxManual)
	default:
		ctx, cancel := context.WithCancel(ctx)
		m.watches[job.UID] = cancel
		go m.informer(job).RunWithContext(ctx)
	}
}

// gone ends the watch of the pods of a Job that was deleted.
func (m *manualPods) gone(job *batchv1.Job) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.end(job.UID)
}

// end ends the watch of a Job's pods, if there is one, after they had time to end.
func (m *manualPods) end(job types.UID) {
	if cancel, watched := m.watches[job]; watched {
		delete(m.watches, job)
		time.AfterFunc(manualLinger, cancel)
	}
}

// ended reports whether a Job has failed or completed.
func ended(job *batchv1.Job) bool {
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
		Handler:    m.collector.podHandler(),
		Transform:  caches.StripPod,
	})
	return informer
}

// newManualPods returns a watcher of no Job yet.
func newManualPods(c *collector, pods typedcorev1.PodsGetter) *manualPods {
	return &manualPods{collector: c, pods: pods, watches: map[types.UID]context.CancelFunc{}}
}
