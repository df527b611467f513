// Copyright The JobError Authors
// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"context"
	"fmt"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	joberrorv1 "joberror.io/operator/api/v1"
)

var openErrors = prometheus.NewDesc("joberror_open_errors", "JobErrors that nobody has resolved yet.", []string{namespaceLabel}, nil)

// open counts the JobErrors as the cache learns of them: to go through all of them
// whenever it is asked would take much more. The leader alone tells: two replicas
// would tell of each error twice.
type open struct {
	elected <-chan struct{}
	mu      sync.Mutex
	// namespaces has those whose errors are all resolved, too: a value that goes
	// away looks like one that is not known.
	namespaces map[string]*count
}

// count is how many errors a namespace has.
type count struct{ open, all int }

// Setup serves the number of open JobErrors, and drops what is counted of a
// namespace with it.
func Setup(ctx context.Context, mgr ctrl.Manager) error {
	o := newOpen(mgr.Elected())
	informer, err := mgr.GetCache().GetInformer(ctx, &joberrorv1.JobError{}, cache.BlockUntilSynced(false))
	if err == nil {
		_, err = informer.AddEventHandler(o)
	}
	if err == nil {
		informer, err = mgr.GetCache().GetInformer(ctx, &corev1.Namespace{}, cache.BlockUntilSynced(false))
	}
	if err == nil {
		_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{DeleteFunc: namespaceGone})
	}
	if err == nil {
		err = metrics.Registry.Register(o)
	}
	if err != nil {
		return fmt.Errorf("metrics: %w", err)
	}
	return nil
}

func newOpen(elected <-chan struct{}) *open {
	return &open{elected: elected, namespaces: map[string]*count{}}
}

// OnAdd is what the cache calls for a JobError that it did not have.
func (o *open) OnAdd(obj any, _ bool) { o.add(obj, 1) }

// OnUpdate is what the cache calls for a JobError that has changed.
func (o *open) OnUpdate(before, after any) {
	o.add(after, 1)
	o.add(before, -1)
}

// OnDelete is what the cache calls for a JobError that is gone, which it may have
// learned later.
func (o *open) OnDelete(obj any) {
	if gone, ok := obj.(toolscache.DeletedFinalStateUnknown); ok {
		obj = gone.Obj
	}
	o.add(obj, -1)
}

func (o *open) add(obj any, n int) {
	je, ok := obj.(*joberrorv1.JobError)
	if !ok {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	c := o.namespaces[je.Namespace]
	if c == nil {
		c = &count{}
		o.namespaces[je.Namespace] = c
	}
	c.all += n
	if !je.Spec.Resolved {
		c.open += n
	}
	if c.all == 0 {
		delete(o.namespaces, je.Namespace)
	}
}

func (o *open) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- openErrors }

func (o *open) Collect(values chan<- prometheus.Metric) {
	select {
	case <-o.elected:
	default:
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for namespace, c := range o.namespaces {
		values <- prometheus.MustNewConstMetric(openErrors, prometheus.GaugeValue, float64(c.open), namespace)
	}
}
